#include "CImageIO.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

static void fail(cimage_picture *picture, int status, const char *text) {
    picture->status = status;
    snprintf(picture->message, sizeof picture->message, "%s", text);
}

static void keep_chunk(WebPDemuxer *demuxer, const char *kind, uint8_t **to, size_t *to_count,
                       cimage_picture *picture) {
    WebPChunkIterator chunk;
    if (!WebPDemuxGetChunk(demuxer, kind, 1, &chunk)) return;
    if (chunk.chunk.size > 0) {
        *to = malloc(chunk.chunk.size);
        if (*to == NULL) {
            picture->status = CIMAGE_NO_MEMORY;
        } else {
            memcpy(*to, chunk.chunk.bytes, chunk.chunk.size);
            *to_count = chunk.chunk.size;
        }
    }
    WebPDemuxReleaseChunkIterator(&chunk);
}

/* The first frame, which may be smaller than the picture; what it leaves free is transparent. */
static void read_frame(WebPDemuxer *demuxer, int drops_alpha, cimage_picture *picture) {
    WebPIterator frame;
    if (!WebPDemuxGetFrame(demuxer, 1, &frame)) return fail(picture, CIMAGE_DAMAGED, "no picture in it");
    size_t stride = (size_t)picture->width * 4, size = stride * picture->height;
    size_t start = stride * (size_t)frame.y_offset + 4 * (size_t)frame.x_offset;
    if (frame.x_offset + frame.width > (int)picture->width || frame.y_offset + frame.height > (int)picture->height) {
        fail(picture, CIMAGE_DAMAGED, "a frame larger than the picture");
    } else if ((picture->rgb = calloc(size, 1)) == NULL) {
        picture->status = CIMAGE_NO_MEMORY;
    } else if (WebPDecodeRGBAInto(frame.fragment.bytes, frame.fragment.size, picture->rgb + start, size - start,
                                  (int)stride) == NULL) {
        fail(picture, CIMAGE_DAMAGED, "its bits can't be decoded");
    } else {
        cimage_rgb_from_rgba(picture->rgb, size / 4, drops_alpha);
    }
    WebPDemuxReleaseIterator(&frame);
}

/* Whether the file says of itself that it is longer. */
static int is_cut(const uint8_t *bytes, size_t count) {
    if (count < 12) return 1;
    uint32_t length = bytes[4] | (uint32_t)bytes[5] << 8 | (uint32_t)bytes[6] << 16 | (uint32_t)bytes[7] << 24;
    return count - 8 < length;
}

void cimage_decode_webp(const uint8_t *bytes, size_t count, cimage_order order, cimage_picture *picture) {
    memset(picture, 0, sizeof *picture);
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(bytes, count, &features);
    if (code == VP8_STATUS_NOT_ENOUGH_DATA) return fail(picture, CIMAGE_TRUNCATED, "no WebP header");
    if (code == VP8_STATUS_OUT_OF_MEMORY) return fail(picture, CIMAGE_NO_MEMORY, "");
    if (code != VP8_STATUS_OK) return fail(picture, CIMAGE_DAMAGED, "its header can't be read");
    picture->width = (uint32_t)features.width;
    picture->height = (uint32_t)features.height;
    if ((uint64_t)picture->width * picture->height > order.max_pixels) {
        picture->status = CIMAGE_TOO_LARGE;
        return;
    }
    if (order.header_only) return;
    if (is_cut(bytes, count)) return fail(picture, CIMAGE_TRUNCATED, "it says that it is longer");
    WebPData data = {bytes, count};
    WebPDemuxer *demuxer = WebPDemux(&data);
    if (demuxer == NULL) return fail(picture, CIMAGE_DAMAGED, "its chunks can't be told apart");
    if (WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH) != picture->width
        || WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT) != picture->height) {
        fail(picture, CIMAGE_DAMAGED, "two sizes are given");
    } else {
        read_frame(demuxer, order.drops_alpha, picture);
        keep_chunk(demuxer, "EXIF", &picture->exif, &picture->exif_count, picture);
        keep_chunk(demuxer, "XMP ", &picture->xmp, &picture->xmp_count, picture);
    }
    WebPDemuxDelete(demuxer);
}
