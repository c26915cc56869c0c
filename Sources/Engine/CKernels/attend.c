/* Attention of a few queries. See include/attend.h. */
#include "attend.h"
#include "vector.h"
#include <math.h>
#include <stdint.h>

#pragma clang fp contract(fast)

#define BLOCK 16  /* keys at a time */
#define VALUES SL_ATTEND_ROWS /* values at a time, which stay in the first-level cache for all queries */

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

/* scores[j] = scale · q·k[j] for 16 keys. Rows are addressed from four places, which fit into registers. */
INLINE void score_16(long width, const float *q, const float *k, long stride, float scale, float *scores) {
    vec16 s[16];
    for (int j = 0; j < 16; j++) s[j] = (vec16){0};
    const float *rows[4] = {k, k + 4 * stride, k + 8 * stride, k + 12 * stride};
    long i = 0;
    for (; i + 16 <= width; i += 16) {
        vec16 x = *(const vec16 *)(q + i);
        for (int j = 0; j < 16; j++) s[j] += x * *(const vec16 *)(rows[j / 4] + j % 4 * stride + i);
    }
    sums_of_16(s);
    for (; i < width; i++)
        for (int j = 0; j < 16; j++) s[0][j] += q[i] * k[j * stride + i];
    *(vec16 *)scores = s[0] * scale;
}

/* The same for fewer keys. */
INLINE void score_some(long width, const float *q, const float *k, long stride, long keys, float scale, float *scores) {
    for (long j = 0; j < keys; j++) {
        vec16 s = {0};
        float rest = 0;
        long i = 0;
        for (; i + 16 <= width; i += 16) s += *(const vec16 *)(q + i) * *(const vec16 *)(k + j * stride + i);
        for (; i < width; i++) rest += q[i] * k[j * stride + i];
        for (int e = 0; e < 16; e++) rest += s[e];
        scores[j] = rest * scale;
    }
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

/* Keys or values from row `first`, `count` of them, of floats or of bf16. */
struct rows {
    const char *base;
    long stride; /* in elements */
    int half;
};

INLINE const char *row_of(struct rows x, long row) { return x.base + row * x.stride * (x.half ? 2 : 4); }

/* Fetches what will be read while the block before it is worked on. */
INLINE void prefetch(long width, long count, struct rows x, long first) {
    for (long j = 0; j < count; j++)
        for (long i = 0; i < width * (x.half ? 2 : 4); i += 64) __builtin_prefetch(row_of(x, first + j) + i, 0, 3);
}

/* `count` rows as floats, in `wide` where they are none. */
INLINE const float *floats(long width, long count, struct rows x, long first, float *wide, long *stride) {
    *stride = x.half ? width : x.stride;
    if (!x.half) return (const float *)row_of(x, first);
    for (long j = 0; j < count; j++) {
        const uint16_t *halves = (const uint16_t *)row_of(x, first + j);
        uint32_t *bits = (uint32_t *)(wide + j * width);
        for (long i = 0; i < width; i++) bits[i] = (uint32_t)halves[i] << 16;
    }
    return wide;
}

/* Scores of all queries over one range, a block of keys at a time, so that they come from memory once. */
INLINE void score_range(long width, float scale, long queries, const float *q, long ldq, struct rows k, long first,
                        long keys, float *scores, long lds, float *wide) {
    long j = 0, stride;
    for (; j + BLOCK <= keys; j += BLOCK) {
        long next = keys - j - BLOCK < BLOCK ? keys - j - BLOCK : BLOCK;
        prefetch(width, next, k, first + j + BLOCK);
        const float *block = floats(width, BLOCK, k, first + j, wide, &stride);
        for (long r = 0; r < queries; r++) score_16(width, q + r * ldq, block, stride, scale, scores + r * lds + j);
    }
    const float *block = floats(width, keys - j, k, first + j, wide, &stride);
    for (long r = 0; r < queries; r++)
        score_some(width, q + r * ldq, block, stride, keys - j, scale, scores + r * lds + j);
}

INLINE void add_range(long width, long queries, const float *p, long lds, struct rows v, long first, long keys,
                      float *out, long ldo, float *wide) {
    for (long j = 0; j < keys; j += VALUES) {
        long count = keys - j < VALUES ? keys - j : VALUES, stride;
        long next = keys - j - count < VALUES ? keys - j - count : VALUES;
        prefetch(width, next, v, first + j + VALUES);
        const float *block = floats(width, count, v, first + j, wide, &stride);
        for (long r = 0; r < queries; r++)
            add_all_weighted(width, count, p + r * lds + j, block, stride, out + r * ldo);
    }
}

CLONES void sl_attend(long width, float scale, long queries, const float *q, long ldq, const void *k, const void *v,
                      long ldk, int half, long ranges, const long *first, const long *count, const long *own_first,
                      const long *own_count, float *scores, long lds, float *out, long ldo, float *sums) {
    struct rows keys = {k, ldk, half}, values = {v, ldk, half};
    float *wide = scores + queries * lds;
    long shared = 0;
    for (long r = 0; r < ranges; r++) {
        score_range(width, scale, queries, q, ldq, keys, first[r], count[r], scores + shared, lds, wide);
        shared += count[r];
    }
    for (long i = 0; i < queries; i++) {
        float *row = scores + i * lds, *y = out + i * ldo;
        score_range(width, scale, 1, q + i * ldq, ldq, keys, own_first[i], own_count[i], row + shared, lds, wide);
        float peak = sl_max(shared + own_count[i], row);
        float sum = sl_exp_sum(shared + own_count[i], row, peak, row);
        sl_scale(shared + own_count[i], 1.0f / sum, row);
        sums[i] = peak + logf(sum);
        for (long c = 0; c < width; c++) y[c] = 0;
    }
    shared = 0;
    for (long r = 0; r < ranges; r++) {
        add_range(width, queries, scores + shared, lds, values, first[r], count[r], out, ldo, wide);
        shared += count[r];
    }
    for (long i = 0; i < queries; i++)
        add_range(width, 1, scores + i * lds + shared, lds, values, own_first[i], own_count[i], out + i * ldo, ldo, wide);
}
