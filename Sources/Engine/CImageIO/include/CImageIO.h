/* JPEG, PNG, WebP and GIF out of memory by libjpeg, libpng, libwebp and giflib, PNG into it, and the inner loops of
 * resampling.
 *
 * The first two report errors by longjmp, which Swift frames can't survive: this target keeps every jump inside one
 * C function and hands back a status. */
#ifndef CIMAGEIO_H
#define CIMAGEIO_H

#include <stddef.h>
#include <stdint.h>

enum {
    CIMAGE_OK = 0,
    CIMAGE_TRUNCATED = 1,   /* the data end before the picture does */
    CIMAGE_DAMAGED = 2,     /* the data contradict themselves; `message` says how */
    CIMAGE_EMPTY = 3,       /* a width or height of zero */
    CIMAGE_TOO_LARGE = 4,   /* more pixels than allowed; `width` and `height` hold what was declared */
    CIMAGE_UNSUPPORTED = 5, /* a valid file of a kind that is not decoded; `message` says which */
    CIMAGE_NO_MEMORY = 6
};

/* A decoded picture, or why there is none. All pointers are owned: release with cimage_picture_free. */
typedef struct {
    int status;
    uint32_t width, height;
    uint8_t *rgb; /* height × width × 3, rows from the top, before any EXIF rotation */
    uint8_t *exif; /* a TIFF block, optionally behind "Exif\0\0"; NULL when absent */
    size_t exif_count;
    uint8_t *raw_exif; /* PNG text "Raw profile type exif": the same in hexadecimal, as ImageMagick writes it */
    size_t raw_exif_count;
    uint8_t *xmp; /* the XMP packet; NULL when absent */
    size_t xmp_count;
    char message[200];
} cimage_picture;

typedef struct {
    uint64_t max_pixels; /* compared before anything of the size of the picture is allocated */
    int drops_alpha;     /* what is transparent shows the colour that lies there; else it is laid onto white */
    int header_only;     /* stop where width and height are known; rgb stays NULL */
} cimage_order;

/* Of files with several frames the first is decoded. */
void cimage_decode_jpeg(const uint8_t *bytes, size_t count, cimage_order order, cimage_picture *picture);
void cimage_decode_png(const uint8_t *bytes, size_t count, cimage_order order, cimage_picture *picture);
void cimage_decode_webp(const uint8_t *bytes, size_t count, cimage_order order, cimage_picture *picture);
void cimage_decode_gif(const uint8_t *bytes, size_t count, cimage_order order, cimage_picture *picture);
void cimage_picture_free(cimage_picture *picture);

/* `count` pixels RGBA to RGB, in place. */
void cimage_rgb_from_rgba(uint8_t *pixels, size_t count, int drops_alpha);

/* Encodes 8-bit RGB rows as PNG without any metadata or time stamp. On CIMAGE_OK `*out` holds `*out_count`
 * bytes, to be released with free(). */
int cimage_encode_png(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **out, size_t *out_count,
                      char message[200]);

/* The source positions that one target position of a resampling pass reads. */
typedef struct {
    uint32_t start, count;
} cimage_tap_range;

/* One row of the horizontal pass: out[x] is the sum of weights[x · stride + tap] × row[ranges[x].start + tap],
 * in 22-bit fixed point, for RGB pixels. Reads one byte behind the last pixel of `row`. */
void cimage_resample_row(const uint8_t *row, const cimage_tap_range *ranges, const int32_t *weights,
                         size_t stride, size_t targets, uint8_t *out);

/* One row of the vertical pass: the weighted sum of `taps` rows that lie one after the other. */
void cimage_resample_column(const uint8_t *rows, size_t row_bytes, const int32_t *weights, size_t taps,
                            uint8_t *out);

#endif
