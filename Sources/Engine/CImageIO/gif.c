#include "CImageIO.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gif_lib.h>

typedef struct {
    const uint8_t *bytes;
    size_t count, position;
    int is_short; /* more was asked for than there is */
} source;

static int read_bytes(GifFileType *gif, GifByteType *to, int wanted) {
    source *from = gif->UserData;
    size_t left = from->count - from->position, got = (size_t)wanted < left ? (size_t)wanted : left;
    if (got < (size_t)wanted) from->is_short = 1;
    memcpy(to, from->bytes + from->position, got);
    from->position += got;
    return (int)got;
}

/* Reads up to where the lines of the first frame begin; `transparent` becomes the index that shows nothing. */
static int find_frame(GifFileType *gif, int *transparent) {
    GifRecordType kind;
    while (DGifGetRecordType(gif, &kind) == GIF_OK) {
        if (kind == IMAGE_DESC_RECORD_TYPE) return DGifGetImageDesc(gif) == GIF_OK;
        if (kind != EXTENSION_RECORD_TYPE) return 0;
        int code;
        GifByteType *block;
        if (DGifGetExtension(gif, &code, &block) != GIF_OK) return 0;
        GraphicsControlBlock control;
        if (code == GRAPHICS_EXT_FUNC_CODE && block != NULL
            && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
            *transparent = control.TransparentColor;
        }
        while (block != NULL) {
            if (DGifGetExtensionNext(gif, &block) != GIF_OK) return 0;
        }
    }
    return 0;
}

static void put(const GifFileType *gif, int index, int transparent, uint8_t *rgba) {
    const ColorMapObject *map = gif->Image.ColorMap != NULL ? gif->Image.ColorMap : gif->SColorMap;
    GifColorType color = {0, 0, 0};
    if (map == NULL) {
        color.Red = color.Green = color.Blue = (GifByteType)index; /* without a table Pillow takes levels of grey */
    } else if (index < map->ColorCount) {
        color = map->Colors[index];
    }
    rgba[0] = color.Red;
    rgba[1] = color.Green;
    rgba[2] = color.Blue;
    rgba[3] = index == transparent ? 0 : 255;
}

static int read_lines(GifFileType *gif, int transparent, uint8_t *rgba, size_t width, GifByteType *line) {
    static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    const GifImageDesc *frame = &gif->Image;
    for (int pass = 0; pass < (frame->Interlace ? 4 : 1); pass++) {
        int step = frame->Interlace ? steps[pass] : 1;
        for (int y = starts[pass]; y < frame->Height; y += step) {
            if (DGifGetLine(gif, line, frame->Width) != GIF_OK) return 0;
            uint8_t *row = rgba + 4 * (width * (size_t)(frame->Top + y) + (size_t)frame->Left);
            for (int x = 0; x < frame->Width; x++) put(gif, line[x], transparent, row + 4 * x);
        }
    }
    return 1;
}

static int larger(int a, int b) { return a > b ? a : b; }

/* The first frame on the screen, which grows where the frame is larger. What it leaves free is transparent, or has
 * the first color where none is. */
static int read_picture(GifFileType *gif, cimage_order order, cimage_picture *picture) {
    int transparent = NO_TRANSPARENT_COLOR;
    if (!find_frame(gif, &transparent)) return 0;
    const GifImageDesc *frame = &gif->Image;
    picture->width = (uint32_t)larger(gif->SWidth, frame->Left + frame->Width);
    picture->height = (uint32_t)larger(gif->SHeight, frame->Top + frame->Height);
    size_t pixels = (size_t)picture->width * picture->height;
    if (frame->Width == 0 || frame->Height == 0) {
        picture->status = CIMAGE_EMPTY;
        return 1;
    }
    if (pixels > order.max_pixels) {
        picture->status = CIMAGE_TOO_LARGE;
        return 1;
    }
    if (order.header_only) return 1;
    picture->rgb = malloc(4 * pixels);
    GifByteType *line = malloc((size_t)frame->Width);
    int is_whole = 1;
    if (picture->rgb == NULL || line == NULL) {
        picture->status = CIMAGE_NO_MEMORY;
    } else {
        for (size_t i = 0; i < pixels; i++) {
            put(gif, larger(transparent, 0), transparent, picture->rgb + 4 * i);
        }
        is_whole = read_lines(gif, transparent, picture->rgb, picture->width, line);
        if (is_whole) cimage_rgb_from_rgba(picture->rgb, pixels, order.drops_alpha);
    }
    free(line);
    return is_whole;
}

void cimage_decode_gif(const uint8_t *bytes, size_t count, cimage_order order, cimage_picture *picture) {
    source from = {bytes, count, 0, 0};
    memset(picture, 0, sizeof *picture);
    int code = 0;
    GifFileType *gif = DGifOpen(&from, read_bytes, &code);
    if (gif == NULL || !read_picture(gif, order, picture)) {
        picture->status = from.is_short ? CIMAGE_TRUNCATED : CIMAGE_DAMAGED;
        const char *text = GifErrorString(gif != NULL ? gif->Error : code);
        snprintf(picture->message, sizeof picture->message, "%s", text != NULL ? text : "no picture in it");
    }
    if (gif != NULL) DGifCloseFile(gif, &code);
}
