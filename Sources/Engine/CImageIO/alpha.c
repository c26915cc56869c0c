#include "CImageIO.h"

/* `level` of a layer with `alpha` over white, rounded as Pillow's alpha_composite rounds. */
static uint8_t over_white(unsigned level, unsigned alpha) {
    unsigned scaled = (level * alpha + 255u * (255u - alpha) + 128u) << 7;
    return (uint8_t)(((scaled >> 8) + scaled) >> 15);
}

void cimage_rgb_from_rgba(uint8_t *pixels, size_t count, int drops_alpha) {
    for (size_t i = 0; i < count; i++) {
        const uint8_t *from = pixels + 4 * i;
        uint8_t *to = pixels + 3 * i;
        unsigned alpha = drops_alpha ? 255 : from[3];
        for (int c = 0; c < 3; c++) to[c] = over_white(from[c], alpha);
    }
}
