/* How factors are laid out for the tiles of gemm.c. See panels.h. */
#include "panels.h"
#include "half.h"
#include <string.h>

#define PANEL SL_PANEL
typedef uint32_t bits16 __attribute__((vector_size(64), aligned(4)));

#define PIECE 64 /* elements of a row at a time */

INLINE uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

INLINE float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* To the nearest bf16, ties to even, in the upper half; a NaN stays one. */
INLINE uint32_t rounded_bits(float x) {
    uint32_t bits = bits_of(x);
    uint32_t up = bits + 0x7fffu + ((bits >> 16) & 1u);
    uint32_t nan = bits | 0x400000u;
    return ((bits & 0x7fffffffu) > 0x7f800000u ? nan : up) & 0xffff0000u;
}

INLINE uint32_t pair_of(float first, float second) { return rounded_bits(first) >> 16 | rounded_bits(second); }

static long min(long a, long b) { return a < b ? a : b; }
static long max(long a, long b) { return a > b ? a : b; }

static long element_bytes(enum sl_type type) { return type == SL_F32 ? 4 : type == SL_I8 ? 1 : 2; }

long sl_panel_bytes(enum sl_type type, long k) {
    return PANEL * element_bytes(type) * (type == SL_BF16 || type == SL_I8 ? (k + 1) / 2 * 2 : k);
}

/* MARK: Packing weights */

static void pack_floats(long columns, long k, const float *w, long stride, float *to) {
    if (columns < PANEL) memset(to, 0, (size_t)(k * PANEL) * sizeof(float));
    for (long i0 = 0; i0 < k; i0 += 16) {
        long end = min(i0 + 16, k);
        for (long j = 0; j < columns; j++)
            for (long i = i0; i < end; i++) to[i * PANEL + j] = w[j * stride + i];
    }
}

static void widen(enum sl_type from, const char *source, long count, float *wide) {
    if (from == SL_F16) sl_widen_f16(source, wide, (size_t)count);
    else if (from == SL_BF16) sl_widen_bf16(source, wide, (size_t)count);
    else memcpy(wide, source, (size_t)count * 4);
}

/* The largest size of `count` elements; NaN where one isn't finite. */
CLONES static float largest(enum sl_type from, const char *source, long count) {
    uint32_t most = 0; /* sizes are ordered as their bits are, infinity and NaN above all */
    for (long i = 0; i < count; i += PIECE) {
        float wide[PIECE] = {0};
        widen(from, source + i * element_bytes(from), min(PIECE, count - i), wide);
        for (long e = 0; e < PIECE; e++) {
            uint32_t size = bits_of(wide[e]) & 0x7fffffffu;
            most = size > most ? size : most;
        }
    }
    return most < 0x7f800000u ? float_of(most) : __builtin_nanf("");
}

/* Floats as shares of `most`, the largest of them, in 127ths, in the lower byte. */
CLONES static void quantize(const float *x, long count, float most, uint16_t *halves) {
    for (long i = 0; i < count; i++) {
        float share = x[i] / most; /* at most 1, and 0/0 ends as 0 */
        float scaled = share * 127;
        /* 1.5·2²³ leaves no places behind the point, and its own lower bits are 0. */
        halves[i] = (uint16_t)bits_of(scaled + 0x1.8p23f);
    }
}

/* `count` elements as halves of the target's type, or as int8 in halves. */
static void read_halves(enum sl_type to, enum sl_type from, const char *source, long count, float most,
                        uint16_t *halves) {
    float wide[PIECE];
    if (from == to) {
        memcpy(halves, source, (size_t)count * 2);
        return;
    }
    widen(from, source, count, wide);
    if (to == SL_I8) quantize(wide, count, most, halves);
    else sl_narrow_bf16(wide, halves, (size_t)count);
}

/* pairs[j][i] → to[i][j], 32 by 32. */
CLONES static void transpose_pairs(const uint32_t pairs[PANEL][PIECE / 2], uint32_t *to) {
    for (int j = 0; j < PANEL; j += 16)
        for (int i = 0; i < PIECE / 2; i += 16) {
            vec16 v[16];
            for (int r = 0; r < 16; r++) v[r] = *(const vec16 *)&pairs[j + r][i];
            sl_transpose_16(v);
            for (int r = 0; r < 16; r++) *(vec16 *)(to + (i + r) * PANEL + j) = v[r];
        }
}

/* Pairs of int8 in halves: a lane has that of a column and, between its bytes, that of the 16th column after it. */
CLONES static void pack_bytes(const uint32_t *pairs, bits16 *to) {
    const bits16 *halves = (const bits16 *)pairs;
    *to = (halves[0] & 0x00ff00ffu) | (halves[1] & 0x00ff00ffu) << 8;
}

/* - `most`: the largest of each row, for int8. */
static void pack_halves(enum sl_type to, enum sl_type from, long columns, long k, const char *w, long stride,
                        const float *most, char *panel) {
    uint32_t pairs[PANEL][PIECE / 2], turned[PIECE / 2 * PANEL];
    for (long i = 0; i < k; i += PIECE) {
        long count = min(PIECE, k - i), whole = (count + 1) / 2;
        memset(pairs, 0, sizeof pairs);
        for (long j = 0; j < columns; j++)
            read_halves(to, from, w + (j * stride + i) * element_bytes(from), count, most[j], (uint16_t *)pairs[j]);
        transpose_pairs(pairs, turned);
        char *part = panel + i * PANEL * element_bytes(to);
        if (to == SL_BF16) {
            memcpy(part, turned, (size_t)(whole * PANEL) * 4);
        } else if (to == SL_I8) {
            for (long row = 0; row < whole; row++) pack_bytes(turned + row * PANEL, (bits16 *)part + row);
        } else {
            for (long row = 0; row < count; row++)
                for (long j = 0; j < PANEL; j++)
                    ((uint16_t *)part)[row * PANEL + j] = (uint16_t)(turned[row / 2 * PANEL + j] >> (row % 2 * 16));
        }
    }
}

void sl_pack(enum sl_type to, enum sl_type from, long count, long k, const void *w, long stride, void *panels,
             float *scales) {
    for (long first = 0; first < count; first += PANEL) {
        const char *rows = (const char *)w + first * stride * element_bytes(from);
        char *panel = (char *)panels + first / PANEL * sl_panel_bytes(to, k);
        long columns = min(PANEL, count - first);
        float most[PANEL] = {0};
        for (long j = 0; to == SL_I8 && j < columns; j++) {
            most[j] = largest(from, rows + j * stride * element_bytes(from), k);
            scales[first + j] = most[j] / 127;
        }
        if (to == SL_F32) pack_floats(columns, k, (const float *)rows, stride, (float *)panel);
        else pack_halves(to, from, columns, k, rows, stride, most, panel);
    }
}

CLONES unsigned sl_read(const void *bytes, long count) {
    bits16 sums[4] = {{0}};
    const bits16 *lines = bytes;
    for (long i = 0; i + 4 <= count / 64; i += 4)
        for (int j = 0; j < 4; j++) sums[j] ^= lines[i + j];
    sums[0] ^= sums[1] ^ sums[2] ^ sums[3];
    unsigned result = 0;
    for (int e = 0; e < 16; e++) result ^= sums[0][e];
    return result;
}

/* MARK: The left factor */

/* Up to 16 rows become columns, `width` apart. Whole vectors are written in order, the end of each over by the next. */
CLONES static void turn_rows(long rows, long count, const float *x, long stride, long width, float *to) {
    long i = 0;
    for (; i + 16 <= count; i += 16) {
        vec16 v[16];
        for (int r = 0; r < 16; r++) v[r] = r < rows ? *(const vec16 *)(x + r * stride + i) : (vec16){0};
        sl_transpose_16(v);
        for (int j = 0; j < 16; j++) *(vec16 *)(to + (i + j) * width) = v[j];
    }
    for (; i < count; i++) {
        for (long r = 0; r < rows; r++) to[i * width + r] = x[r * stride + i];
        for (long r = rows; r < min(width, 16); r++) to[i * width + r] = 0;
    }
}

/* The same as `turn_rows`, with pairs of neighbors in a row. */
PAIRS static void turn_into_pairs(long rows, long count, const float *x, long stride, long width, uint32_t *to) {
    long i = 0;
    for (; i + 32 <= count; i += 32) {
        vec16 v[16];
        for (int r = 0; r < 16; r++) {
            const float *from = x + r * stride + i;
            v[r] = r < rows ? sl_rounded_pairs(*(const vec16 *)from, *(const vec16 *)(from + 16)) : (vec16){0};
        }
        sl_transpose_16(v);
        for (int j = 0; j < 16; j++) *(vec16 *)(to + (i / 2 + j) * width) = v[j];
    }
    for (; i < count; i += 2) {
        uint32_t *pairs = to + i / 2 * width;
        for (long r = 0; r < rows; r++)
            pairs[r] = pair_of(x[r * stride + i], i + 1 < count ? x[r * stride + i + 1] : 0);
        for (long r = rows; r < min(width, 16); r++) pairs[r] = 0;
    }
}

/* Rows i and i + 1 of a matrix as pairs: what its columns are multiplied by, or are themselves. */
PAIRS static void interleave(long rows, long columns, const float *x, long stride, long width, uint32_t *to) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                           5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (long i = 0; i < rows; i += 2) {
        const float *first = x + i * stride, *second = first + stride;
        uint32_t *pairs = to + i / 2 * width;
        long c = 0;
        for (; i + 1 < rows && c + 16 <= columns; c += 16) {
            vec16 rounded = sl_rounded_pairs(*(const vec16 *)(first + c), *(const vec16 *)(second + c));
            _mm512_storeu_si512(pairs + c, _mm512_permutexvar_epi16(order, (__m512i)rounded));
        }
        for (; c < columns; c++) pairs[c] = pair_of(first[c], i + 1 < rows ? second[c] : 0);
        for (; c < width; c++) pairs[c] = 0;
    }
}

CLONES static void copy_rows(long rows, long columns, const float *x, long stride, long width, int rounded,
                             float *to) {
    for (long i = 0; i < rows; i++) {
        for (long c = 0; c < columns; c++)
            to[i * width + c] = rounded ? float_of(rounded_bits(x[i * stride + c])) : x[i * stride + c];
        for (long c = columns; c < width; c++) to[i * width + c] = 0;
    }
}

CLONES static void round_all(long count, float *x) {
    for (long i = 0; i < count; i++) x[i] = float_of(rounded_bits(x[i]));
}

void sl_left_tile(const struct sl_left *left, long first, long rows, long start, long count, int pairs, int rounded,
                  void *to) {
    if (left->transposed) {
        const float *x = left->x + start * left->stride + first;
        if (pairs) interleave(count, rows, x, left->stride, rows, to);
        else copy_rows(count, rows, x, left->stride, rows, rounded, to);
        return;
    }
    const float *x = left->x + first * left->stride + start;
    if (pairs) {
        turn_into_pairs(rows, count, x, left->stride, rows, to);
    } else {
        turn_rows(rows, count, x, left->stride, rows, to);
        if (rounded) round_all(rows * count, to);
    }
}

/* MARK: The right factor */

/* `count` rows [32] of pairs as twice as many rows of floats. */
CLONES static void widen_pairs(long count, const uint32_t *pairs, float *to) {
    for (long i = 0; i < 2 * count; i++) { /* in halves of a row */
        bits16 v = *(const bits16 *)(pairs + i * 16);
        bits16 *first = (bits16 *)(to + i / 2 * 2 * PANEL + i % 2 * 16);
        first[0] = v << 16;
        first[2] = v & 0xffff0000u;
    }
}

typedef int32_t ints16 __attribute__((vector_size(64), aligned(4)));

/* Of 16 lanes of four int8, one of each. */
#define FLOATS_OF_BYTE(lanes, n) __builtin_convertvector((lanes) << (24 - 8 * (n)) >> 24, vec16)

/* The same of int8. */
CLONES static void widen_bytes(long count, const ints16 *lanes, float *to) {
    for (long i = 0; i < count; i++)
        for (int byte = 0; byte < 4; byte++)
            ((vec16 *)to)[4 * i + (byte % 2) + 2 * (byte / 2)] = FLOATS_OF_BYTE(lanes[i], byte);
}

/* The same as pairs of bf16. */
WIDENS static void widen_into_pairs(long count, const ints16 *lanes, vec16 *to) {
    for (long i = 0; i < count; i++) {
        to[2 * i] = sl_wide_pairs(lanes + i, 0);
        to[2 * i + 1] = sl_wide_pairs(lanes + i, 1);
    }
}

#define EXPONENT(m) ((m) > 63 ? 6 : (m) > 31 ? 5 : (m) > 15 ? 4 : (m) > 7 ? 3 : (m) > 3 ? 2 : (m) > 1)
#define BITS(m) ((m) ? (127 + EXPONENT(m)) << 7 | ((m) << (7 - EXPONENT(m)) & 127) : 0)
#define LOWER(m) (BITS(m) & 255)
#define UPPER(m) (BITS(m) >> 8)
#define FOUR(OF, m) OF(m), OF(m + 1), OF(m + 2), OF(m + 3)
#define SIXTEEN(OF, m) FOUR(OF, m), FOUR(OF, m + 4), FOUR(OF, m + 8), FOUR(OF, m + 12)
#define SIXTY_FOUR(OF, m) SIXTEEN(OF, m), SIXTEEN(OF, m + 16), SIXTEEN(OF, m + 32), SIXTEEN(OF, m + 48)

const uint8_t sl_bf16_bytes[2][128] = {{SIXTY_FOUR(LOWER, 0), SIXTY_FOUR(LOWER, 64)},
                                       {SIXTY_FOUR(UPPER, 0), SIXTY_FOUR(UPPER, 64)}};

/* `count` (even, or the last) rows of a panel from `start` as floats. */
static const float *floats(const struct sl_panels *w, long panel, long start, long count, float *scratch) {
    const char *base = (const char *)w->base + panel * sl_panel_bytes(w->type, w->k);
    if (w->type == SL_F32) return (const float *)base + start * PANEL;
    base += start * PANEL * element_bytes(w->type);
    if (w->type == SL_F16) sl_widen_f16(base, scratch, (size_t)(count * PANEL));
    else if (w->type == SL_I8) widen_bytes((count + 1) / 2, (const ints16 *)base, scratch);
    else widen_pairs((count + 1) / 2, (const uint32_t *)base, scratch);
    return scratch;
}

/* rows (32 × 32, `count` of them there) → to [32][32] turned. */
CLONES static void turn_floats(long count, const float *rows, float *to) {
    for (int i = 0; i < PANEL; i += 16)
        for (int j = 0; j < PANEL; j += 16) {
            vec16 v[16];
            for (int r = 0; r < 16; r++)
                v[r] = j + r < count ? *(const vec16 *)(rows + (j + r) * PANEL + i) : (vec16){0};
            sl_transpose_16(v);
            for (int r = 0; r < 16; r++) *(vec16 *)(to + (i + r) * PANEL + j) = v[r];
        }
}

/* Pairs of neighbors in a row (`count` rows of 32 columns, two rows side by side) become pairs of neighbors in a
   column: of four elements the middle ones change places, and both halves are turned. */
CLONES static void turn_pairs(long count, const uint32_t *pairs, uint32_t *to) {
    vec16 even[16], odd[16];
    for (int kp = 0; kp < 16; kp++) {
        union { uint32_t pairs[16]; vec16 vector; } upper = {{0}}, lower = {{0}};
        if (2 * kp < count)
            for (int np = 0; np < 16; np++) {
                uint32_t first = pairs[kp * PANEL + 2 * np], second = pairs[kp * PANEL + 2 * np + 1];
                upper.pairs[np] = (first & 0xffffu) | second << 16;
                lower.pairs[np] = first >> 16 | (second & 0xffff0000u);
            }
        even[kp] = upper.vector;
        odd[kp] = lower.vector;
    }
    sl_transpose_16(even);
    sl_transpose_16(odd);
    for (int np = 0; np < 16; np++) {
        vec16 *row = (vec16 *)(to + np * PANEL);
        row[0] = __builtin_shufflevector(even[np], odd[np], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        row[1] =
            __builtin_shufflevector(even[np], odd[np], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
}

/* Panels of wᵀ: output columns are w's inner dimension, sums run over its rows, 32 of which are a panel. */
static void turn(const struct sl_panels *w, long column, long columns, long start, long count, int pairs,
                 void *scratch) {
    float wide[PANEL * PANEL];
    long panel_bytes = sl_panel_bytes(w->type, w->k), block_bytes = sl_panel_bytes(w->type, PANEL);
    for (long i = 0; i < count; i += PANEL) {
        long panel = (start + i) / PANEL;
        /* Blocks of a column lie panels apart: each comes from memory while the one before it is turned. */
        const char *next = (const char *)w->base + panel * panel_bytes + column / PANEL * block_bytes;
        if (i + PANEL < count) next += panel_bytes;
        for (long line = 0; line < block_bytes; line += 64) __builtin_prefetch(next + line, 0, 2);
        if (pairs) {
            const char *base = (const char *)w->base + panel * panel_bytes;
            turn_pairs(columns, (const uint32_t *)(base + column * PANEL * 2), (uint32_t *)scratch + i / 2 * PANEL);
        } else {
            turn_floats(columns, floats(w, panel, column, columns, wide), (float *)scratch + i * PANEL);
        }
    }
}

void sl_right_panel(const struct sl_right *right, long column, long columns, long start, long count, int pairs,
                    int rounded, void *scratch) {
    const struct sl_panels *w = &right->w;
    switch (right->kind) {
    case SL_PANELS:
        if (pairs) {
            const char *panel = (const char *)w->base + column / PANEL * sl_panel_bytes(w->type, w->k);
            widen_into_pairs((count + 1) / 2, (const ints16 *)(panel + start * PANEL), scratch);
        } else {
            floats(w, column / PANEL, start, count, scratch);
        }
        break;
    case SL_TRANSPOSED: turn(w, column, columns, start, count, pairs, scratch); break;
    case SL_COLUMNS:
        for (long r = 0; r < PANEL; r += 16) {
            long rows = max(0, min(16, columns - r));
            const float *x = (const float *)w->base + (column + (rows ? r : 0)) * right->stride + start;
            if (pairs) turn_into_pairs(rows, count, x, right->stride, PANEL, (uint32_t *)scratch + r);
            else turn_rows(rows, count, x, right->stride, PANEL, (float *)scratch + r);
        }
        if (rounded && !pairs) round_all(PANEL * count, scratch);
        break;
    case SL_ROWS: {
        const float *x = (const float *)w->base + start * right->stride + column;
        if (pairs) interleave(count, columns, x, right->stride, PANEL, scratch);
        else copy_rows(count, columns, x, right->stride, PANEL, rounded, scratch);
    }
    }
}
