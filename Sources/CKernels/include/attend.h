#pragma once
/* Attention of one query over ranges of key rows: out (width) = softmax(scale · q·kᵀ) · v, keys and values at
   k and v, rows `stride` apart, range r being rows first[r] ..< first[r] + count[r], together at least one.
   `scores` is room for as many floats as there are keys. Returns log Σ exp of the scaled scores. */
float sl_attend(long width, float scale, const float *q, const float *k, const float *v, long stride, long ranges,
                const long *first, const long *count, float *scores, float *out);
