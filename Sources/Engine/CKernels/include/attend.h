#pragma once
/* Attention of a few queries that see the same ranges of key rows and, each, a range of their own:
   out (queries × width, rows ldo apart) = softmax(scale · q·kᵀ) · v. Keys and values lie at k and v, rows ldk elements
   apart, as floats, or as bf16 when `half`; shared range r is rows first[r] ..< first[r] + count[r], that of query i
   own_first[i] ..< + own_count[i], together at least one. `scores` is room for `queries` rows of lds floats, as many as
   there are keys at most, and for SL_ATTEND_ROWS of `width` floats behind them.
   sums[i] = log Σ exp of the scaled scores. A query's result does not depend on the others. */
#define SL_ATTEND_ROWS 32
void sl_attend(long width, float scale, long queries, const float *q, long ldq, const void *k, const void *v,
               long ldk, int half, long ranges, const long *first, const long *count, const long *own_first,
               const long *own_count, float *scores, long lds, float *out, long ldo, float *sums);
