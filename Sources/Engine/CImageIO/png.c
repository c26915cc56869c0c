#include "CImageIO.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

typedef struct {
    const uint8_t *bytes;
    size_t count, position;
    cimage_picture *picture;
} source;

static void exit_on_error(png_structp png, png_const_charp text) {
    cimage_picture *picture = ((source *)png_get_error_ptr(png))->picture;
    if (picture->status == CIMAGE_OK) {
        picture->status = CIMAGE_DAMAGED;
        snprintf(picture->message, sizeof picture->message, "%s", text);
    }
    png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void read_bytes(png_structp png, png_bytep to, size_t count) {
    source *from = png_get_io_ptr(png);
    if (count > from->count - from->position) {
        from->picture->status = CIMAGE_TRUNCATED;
        snprintf(from->picture->message, sizeof from->picture->message, "no end-of-picture chunk in %zu bytes",
                 from->count);
        png_error(png, "truncated");
    }
    memcpy(to, from->bytes + from->position, count);
    from->position += count;
}

static void keep(png_structp png, uint8_t **to, size_t *to_count, const void *bytes, size_t count) {
    if (*to != NULL || count == 0) return;
    *to = malloc(count);
    if (*to == NULL) {
        ((source *)png_get_io_ptr(png))->picture->status = CIMAGE_NO_MEMORY;
        png_error(png, "out of memory");
    }
    memcpy(*to, bytes, count);
    *to_count = count;
}

/* The chunks may stand before or after the pixels, so this is called for both of libpng's infos. */
static void keep_metadata(png_structp png, png_infop info, cimage_picture *picture) {
    png_uint_32 exif_count = 0;
    png_bytep exif = NULL;
    if (png_get_eXIf_1(png, info, &exif_count, &exif) != 0) {
        keep(png, &picture->exif, &picture->exif_count, exif, exif_count);
    }
    png_textp texts = NULL;
    int text_count = 0;
    png_get_text(png, info, &texts, &text_count);
    for (int i = 0; i < text_count; i++) {
        size_t count = texts[i].compression > 0 ? texts[i].itxt_length : texts[i].text_length;
        if (texts[i].text == NULL) continue;
        if (strcmp(texts[i].key, "XML:com.adobe.xmp") == 0) {
            keep(png, &picture->xmp, &picture->xmp_count, texts[i].text, count);
        } else if (strcmp(texts[i].key, "Raw profile type exif") == 0) {
            keep(png, &picture->raw_exif, &picture->raw_exif_count, texts[i].text, count);
        }
    }
}

/* Pillow keeps 16-bit grey as integers and clips them at 255 on the way to RGB (a 16-bit colour picture
 * loses its low bytes instead). The row holds big-endian pairs in its first 2·width bytes; it is widened to
 * 3·width from the end, so that nothing is overwritten before it was read. */
static void widen_grey_16(uint8_t *row, size_t width) {
    for (size_t x = width; x-- > 0;) {
        uint8_t grey = row[2 * x] != 0 ? 255 : row[2 * x + 1];
        row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = grey;
    }
}

static void read_picture(png_structp png, png_infop info, png_infop end, int drops_alpha,
                         cimage_picture *picture) {
    /* the caller's limit holds instead of libpng's own, whose message names no remedy */
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(png, info);
    int colour = png_get_color_type(png, info), depth = png_get_bit_depth(png, info);
    int grey_16 = colour == PNG_COLOR_TYPE_GRAY && depth == 16;
    /* Pillow knows no transparent level of 16-bit grey */
    int has_key = !grey_16 && png_get_valid(png, info, PNG_INFO_tRNS) != 0;
    int has_alpha = has_key || (colour & PNG_COLOR_MASK_ALPHA) != 0;
    if (!grey_16) {
        if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
        if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
        if (has_key) png_set_tRNS_to_alpha(png);
        png_set_strip_16(png);
        if ((colour & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
    }
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t stride = (size_t)picture->width * (has_alpha ? 4 : 3);
    if (png_get_rowbytes(png, info) > stride) png_error(png, "rows wider than their pixels");
    picture->rgb = malloc(stride * picture->height);
    if (picture->rgb == NULL) {
        picture->status = CIMAGE_NO_MEMORY;
        png_error(png, "out of memory");
    }
    for (int pass = 0; pass < passes; pass++) {
        for (size_t y = 0; y < picture->height; y++) png_read_row(png, picture->rgb + y * stride, NULL);
    }
    if (grey_16) {
        for (size_t y = 0; y < picture->height; y++) widen_grey_16(picture->rgb + y * stride, picture->width);
    }
    if (has_alpha) {
        cimage_rgb_from_rgba(picture->rgb, (size_t)picture->width * picture->height, drops_alpha);
    }
    png_read_end(png, end);
    keep_metadata(png, info, picture);
    keep_metadata(png, end, picture);
}

void cimage_decode_png(const uint8_t *bytes, size_t count, cimage_order order, cimage_picture *picture) {
    source from = {bytes, count, 0, picture};
    memset(picture, 0, sizeof *picture);
    if (count < 33) {
        picture->status = CIMAGE_TRUNCATED;
        snprintf(picture->message, sizeof picture->message, "%zu bytes hold no PNG header", count);
        return;
    }
    if (memcmp(bytes + 12, "IHDR", 4) != 0) {
        picture->status = CIMAGE_DAMAGED;
        snprintf(picture->message, sizeof picture->message, "the first chunk is not IHDR");
        return;
    }
    picture->width = png_get_uint_32(bytes + 16);
    picture->height = png_get_uint_32(bytes + 20);
    if (picture->width == 0 || picture->height == 0) {
        picture->status = CIMAGE_EMPTY;
        return;
    }
    if ((uint64_t)picture->width * picture->height > order.max_pixels) {
        picture->status = CIMAGE_TOO_LARGE;
        return;
    }
    if (order.header_only) return;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &from, exit_on_error, ignore_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    png_infop end = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL || end == NULL) {
        picture->status = CIMAGE_NO_MEMORY;
    } else if (setjmp(png_jmpbuf(png)) == 0) {
        png_set_read_fn(png, &from, read_bytes);
        read_picture(png, info, end, order.drops_alpha, picture);
    }
    if (png != NULL) png_destroy_read_struct(&png, &info, &end);
}

void cimage_picture_free(cimage_picture *picture) {
    free(picture->rgb);
    free(picture->exif);
    free(picture->raw_exif);
    free(picture->xmp);
    memset(picture, 0, sizeof *picture);
}

typedef struct {
    uint8_t *bytes;
    size_t count, capacity;
    char *message;
} sink;

static void note_write_error(png_structp png, png_const_charp text) {
    snprintf(((sink *)png_get_error_ptr(png))->message, 200, "%s", text);
    png_longjmp(png, 1);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    sink *to = png_get_io_ptr(png);
    if (count > to->capacity - to->count) {
        size_t capacity = 2 * to->capacity + count;
        uint8_t *grown = realloc(to->bytes, capacity);
        if (grown == NULL) png_error(png, "out of memory");
        to->bytes = grown;
        to->capacity = capacity;
    }
    memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
}

static void flush_nothing(png_structp png) { (void)png; }

int cimage_encode_png(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **out, size_t *out_count,
                      char message[200]) {
    sink to = {NULL, 0, 0, message};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &to, note_write_error, ignore_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    volatile int status = CIMAGE_NO_MEMORY;
    if (info != NULL && setjmp(png_jmpbuf(png)) == 0) {
        status = CIMAGE_DAMAGED; /* what a jump from here on leaves behind */
        png_set_write_fn(png, &to, write_bytes, flush_nothing);
        png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
        png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_set_compression_level(png, 6);
        png_write_info(png, info);
        for (size_t y = 0; y < height; y++) png_write_row(png, rgb + y * (size_t)width * 3);
        png_write_end(png, info);
        status = CIMAGE_OK;
    }
    if (png != NULL) png_destroy_write_struct(&png, &info);
    if (status != CIMAGE_OK) {
        free(to.bytes);
        return status;
    }
    *out = to.bytes;
    *out_count = to.count;
    return CIMAGE_OK;
}
