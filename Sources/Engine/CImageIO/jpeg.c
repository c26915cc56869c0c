#include "CImageIO.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf jump;
    cimage_picture *picture;
} error_manager;

static void fail(j_common_ptr common, int status) {
    error_manager *errors = (error_manager *)common->err;
    char text[JMSG_LENGTH_MAX];
    errors->base.format_message(common, text);
    snprintf(errors->picture->message, sizeof errors->picture->message, "%s", text);
    errors->picture->status = status;
    longjmp(errors->jump, 1);
}

static void exit_on_error(j_common_ptr common) {
    switch (common->err->msg_code) {
    case JERR_EMPTY_IMAGE: fail(common, CIMAGE_EMPTY); break;
    case JERR_INPUT_EOF:
    case JERR_INPUT_EMPTY: fail(common, CIMAGE_TRUNCATED); break;
    case JERR_OUT_OF_MEMORY: fail(common, CIMAGE_NO_MEMORY); break;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_ARITH_NOTIMPL: fail(common, CIMAGE_UNSUPPORTED); break;
    default: fail(common, CIMAGE_DAMAGED);
    }
}

/* libjpeg only warns where entropy-coded data run out or are unreadable and fills up with grey, which a
 * training run would take for a picture. Other warnings (stray bytes between markers, an odd JFIF version)
 * leave the pixels whole and are common in the wild. */
static void watch_warnings(j_common_ptr common, int level) {
    if (level >= 0) return;
    switch (common->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER: fail(common, CIMAGE_TRUNCATED); break;
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC: fail(common, CIMAGE_DAMAGED); break;
    default: common->err->num_warnings++;
    }
}

static void discard_message(j_common_ptr common) { (void)common; }

/* Appends `count` bytes; a failed allocation is fatal to the picture, through the error manager. */
static void append(j_decompress_ptr jpeg, uint8_t **to, size_t *to_count, const uint8_t *bytes, size_t count) {
    uint8_t *grown = realloc(*to, *to_count + count);
    if (grown == NULL) ERREXIT1(jpeg, JERR_OUT_OF_MEMORY, 0);
    memcpy(grown + *to_count, bytes, count);
    *to = grown;
    *to_count += count;
}

static void keep_metadata(j_decompress_ptr jpeg, cimage_picture *picture) {
    static const char exif[] = "Exif\0", xmp[] = "http://ns.adobe.com/xap/1.0/";
    for (jpeg_saved_marker_ptr marker = jpeg->marker_list; marker != NULL; marker = marker->next) {
        const uint8_t *data = marker->data;
        size_t count = marker->data_length;
        if (count >= sizeof exif && memcmp(data, exif, sizeof exif) == 0) {
            /* EXIF over 64 kB continues in further segments, each with the prefix again */
            append(jpeg, &picture->exif, &picture->exif_count, data + sizeof exif, count - sizeof exif);
        } else if (count >= sizeof xmp && memcmp(data, xmp, sizeof xmp) == 0) {
            picture->xmp_count = 0; /* the last packet wins */
            append(jpeg, &picture->xmp, &picture->xmp_count, data + sizeof xmp, count - sizeof xmp);
        }
    }
}

static inline uint8_t multiply_255(unsigned a, unsigned b) {
    unsigned product = a * b + 128;
    return (uint8_t)(((product >> 8) + product) >> 8);
}

/* Files with four components hold inverted ink, as Adobe writes them; that is what Pillow assumes of all of
 * them. So `ink` is 255 − (C, M, Y, K) and the colour is paper minus ink. */
static void rgb_from_inverted_cmyk(const uint8_t *ink, uint8_t *rgb, size_t width) {
    for (size_t x = 0; x < width; x++, ink += 4, rgb += 3) {
        unsigned white = ink[3];
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(white - multiply_255(255u - ink[c], white));
    }
}

static void read_rows(j_decompress_ptr jpeg, cimage_picture *picture) {
    size_t stride = (size_t)jpeg->output_width * 3;
    JSAMPARRAY ink = NULL;
    if (jpeg->output_components == 4) {
        ink = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, jpeg->output_width * 4, 1);
    }
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = picture->rgb + stride * jpeg->output_scanline;
        jpeg_read_scanlines(jpeg, ink != NULL ? ink : &row, 1);
        if (ink != NULL) rgb_from_inverted_cmyk(ink[0], row, jpeg->output_width);
    }
}

void cimage_decode_jpeg(const uint8_t *bytes, size_t count, cimage_order order, cimage_picture *picture) {
    struct jpeg_decompress_struct jpeg;
    error_manager errors;
    memset(picture, 0, sizeof *picture);
    jpeg.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = exit_on_error;
    errors.base.emit_message = watch_warnings;
    errors.base.output_message = discard_message;
    errors.picture = picture;
    if (setjmp(errors.jump)) {
        jpeg_destroy_decompress(&jpeg);
        return;
    }
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, (unsigned long)count);
    jpeg_save_markers(&jpeg, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&jpeg, TRUE);
    picture->width = jpeg.image_width;
    picture->height = jpeg.image_height;
    if ((uint64_t)jpeg.image_width * jpeg.image_height > order.max_pixels) {
        picture->status = CIMAGE_TOO_LARGE;
    } else if (jpeg.num_components != 1 && jpeg.num_components != 3 && jpeg.num_components != 4) {
        snprintf(picture->message, sizeof picture->message, "%d colour components", jpeg.num_components);
        picture->status = CIMAGE_UNSUPPORTED;
    } else if (!order.header_only) {
        keep_metadata(&jpeg, picture);
        jpeg.out_color_space = jpeg.num_components == 4 ? JCS_CMYK : JCS_RGB;
        picture->rgb = malloc((size_t)picture->width * picture->height * 3);
        if (picture->rgb == NULL) ERREXIT1(&jpeg, JERR_OUT_OF_MEMORY, 0);
        jpeg_start_decompress(&jpeg);
        read_rows(&jpeg, picture);
        jpeg_finish_decompress(&jpeg);
    }
    jpeg_destroy_decompress(&jpeg);
}
