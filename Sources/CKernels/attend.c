/* Attention of a single query. See include/attend.h. */
#include "attend.h"
#include "vector.h"
#include <math.h>

#pragma clang fp contract(fast)

typedef float vec16 __attribute__((vector_size(64), aligned(4)));

#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define INLINE static inline __attribute__((always_inline))

/* The sums of 16 vectors as the 16 elements of one: halves are added pairwise within quarters, then quarters. */
INLINE void sums_of_16(vec16 *s) {
    for (int i = 0; i < 16; i += 2)
        s[i / 2] = __builtin_shufflevector(s[i], s[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) +
                   __builtin_shufflevector(s[i], s[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
    for (int i = 0; i < 8; i += 2)
        s[i / 2] = __builtin_shufflevector(s[i], s[i + 1], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
                   __builtin_shufflevector(s[i], s[i + 1], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    for (int times = 4; times > 1; times /= 2)
        for (int i = 0; i < times; i += 2)
            s[i / 2] = __builtin_shufflevector(s[i], s[i + 1], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
                       __builtin_shufflevector(s[i], s[i + 1], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

/* scores[j] = scale · q·k[j] for 16 keys; with fewer, the last one is read again for those that are missing. */
INLINE void score_16(long width, const float *q, const float *k, long stride, long keys, float scale, float *scores) {
    vec16 s[16];
    const float *rows[16];
    for (int j = 0; j < 16; j++) {
        rows[j] = k + (j < keys ? j : keys - 1) * stride;
        s[j] = (vec16){0};
    }
    long i = 0;
    for (; i + 16 <= width; i += 16) {
        vec16 x = *(const vec16 *)(q + i);
        for (int j = 0; j < 16; j++) s[j] += x * *(const vec16 *)(rows[j] + i);
    }
    sums_of_16(s);
    for (; i < width; i++)
        for (int j = 0; j < 16; j++) s[0][j] += q[i] * rows[j][i];
    s[0] *= scale;
    for (int j = 0; j < keys; j++) scores[j] = s[0][j];
}

/* y[0 ..< 16·vectors] += Σ p[j]·v[j]; even and odd keys apart, so that the sums do not wait for each other. */
INLINE void add_weighted(int vectors, long keys, const float *p, const float *v, long stride, float *y) {
    vec16 even[4], odd[4];
    for (int c = 0; c < vectors; c++) even[c] = odd[c] = (vec16){0};
    long j = 0;
    for (; j + 2 <= keys; j += 2)
        for (int c = 0; c < vectors; c++) {
            even[c] += p[j] * *(const vec16 *)(v + j * stride + 16 * c);
            odd[c] += p[j + 1] * *(const vec16 *)(v + (j + 1) * stride + 16 * c);
        }
    if (j < keys)
        for (int c = 0; c < vectors; c++) even[c] += p[j] * *(const vec16 *)(v + j * stride + 16 * c);
    for (int c = 0; c < vectors; c++) *(vec16 *)(y + 16 * c) += even[c] + odd[c];
}

INLINE void add_all_weighted(long width, long keys, const float *p, const float *v, long stride, float *y) {
    long c = 0;
    for (; c + 64 <= width; c += 64) add_weighted(4, keys, p, v + c, stride, y + c);
    for (; c + 16 <= width; c += 16) add_weighted(1, keys, p, v + c, stride, y + c);
    for (; c < width; c++)
        for (long j = 0; j < keys; j++) y[c] += p[j] * v[j * stride + c];
}

CLONES float sl_attend(long width, float scale, const float *q, const float *k, const float *v, long stride,
                       long ranges, const long *first, const long *count, float *scores, float *out) {
    long total = 0;
    for (long r = 0; r < ranges; r++) {
        const float *keys = k + first[r] * stride;
        long j = 0;
        for (; j + 16 <= count[r]; j += 16)
            score_16(width, q, keys + j * stride, stride, 16, scale, scores + total + j);
        if (j < count[r]) score_16(width, q, keys + j * stride, stride, count[r] - j, scale, scores + total + j);
        total += count[r];
    }
    float peak = sl_max(total, scores);
    float sum = sl_exp_sum(total, scores, peak, scores);
    for (long c = 0; c < width; c++) out[c] = 0;
    total = 0;
    for (long r = 0; r < ranges; r++) {
        add_all_weighted(width, count[r], scores + total, v + first[r] * stride, stride, out);
        total += count[r];
    }
    sl_scale(width, 1.0f / sum, out);
    return peak + logf(sum);
}
