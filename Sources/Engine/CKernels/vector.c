#include "vector.h"
#include <math.h>
#include <string.h>
#include <stdint.h>

typedef float vec16 __attribute__((vector_size(64), aligned(4)));

#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define FAST _Pragma("clang fp reassociate(on) contract(fast)")

/* exp by 2^n · p(f): relative error about 1e-7 over the whole range, no branch, so it vectorises. */
static inline __attribute__((always_inline)) float fast_exp(float x) {
    _Pragma("clang fp contract(fast)")
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float n = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f; /* rounds to the nearest integer */
    float f = x - n * 0.693145751953125f;
    f = f - n * 1.42860682030941723e-6f;
    float p = 1.9875691500e-4f;
    p = p * f + 1.3981999507e-3f;
    p = p * f + 8.3334519073e-3f;
    p = p * f + 4.1665795894e-2f;
    p = p * f + 1.6666665459e-1f;
    p = p * f + 5.0000001201e-1f;
    p = p * f * f + f + 1.0f;
    int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, 4);
    return p * power;
}

CLONES float sl_dot(long n, const float *x, const float *y) {
    FAST float s = 0;
    for (long i = 0; i < n; i++) s += x[i] * y[i];
    return s;
}

CLONES void sl_axpy(long n, float a, const float *restrict x, float *restrict y) {
    FAST for (long i = 0; i < n; i++) y[i] += a * x[i];
}

CLONES void sl_add(long n, const float *restrict x, float *restrict y) {
    for (long i = 0; i < n; i++) y[i] += x[i];
}

CLONES void sl_scale(long n, float a, float *x) {
    for (long i = 0; i < n; i++) x[i] *= a;
}

CLONES double sl_sum_of_squares(long n, const float *x) {
    FAST double s = 0;
    for (long i = 0; i < n; i++) s += (double)x[i] * (double)x[i];
    return s;
}

CLONES float sl_max(long n, const float *x) {
    /* By hand, because the compiler keeps the order of comparisons for the sake of NaNs. */
    if (n < 16) {
        float m = x[0];
        for (long i = 1; i < n; i++) m = x[i] > m ? x[i] : m;
        return m;
    }
    vec16 a = *(const vec16 *)x, b = *(const vec16 *)(x + n - 16);
    for (long i = 16; i + 16 <= n; i += 32) {
        a = __builtin_elementwise_max(a, *(const vec16 *)(x + i));
        if (i + 32 <= n) b = __builtin_elementwise_max(b, *(const vec16 *)(x + i + 16));
    }
    return __builtin_reduce_max(__builtin_elementwise_max(a, b));
}

CLONES float sl_exp_sum(long n, const float *x, float shift, float *y) {
    FAST float s = 0;
    /* y may be x, element upon element, which the check for overlap would send down the scalar path. */
    _Pragma("clang loop vectorize(assume_safety) interleave_count(1)")
    for (long i = 0; i < n; i++) {
        float e = fast_exp(x[i] - shift);
        y[i] = e;
        s += e;
    }
    return s;
}

CLONES float sl_sum_exp(long n, const float *x, float shift) {
    FAST float s = 0;
    for (long i = 0; i < n; i++) s += fast_exp(x[i] - shift);
    return s;
}

static inline __attribute__((always_inline)) float sum_of_scaled(long n, const float *x, float peak, float factor) {
    FAST float s = 0;
    for (long i = 0; i < n; i++) s += fast_exp((x[i] - peak) * factor);
    return s;
}

CLONES long sl_draw(long n, const float *x, float factor, double uniform) {
    const long block = 64;
    float peak = sl_max(n, x);
    double total = 0;
    for (long i = 0; i < n; i += block)
        total += sum_of_scaled(n - i < block ? n - i : block, x + i, peak, factor);
    /* Whole blocks are stepped over by their sums, the one that holds the point is walked through. */
    double left = uniform * total;
    for (long i = 0; i < n; i += block) {
        long count = n - i < block ? n - i : block;
        double sum = sum_of_scaled(count, x + i, peak, factor);
        if (left >= sum && i + block < n) {
            left -= sum;
            continue;
        }
        for (long j = 0; j < count; j++) {
            left -= fast_exp((x[i + j] - peak) * factor);
            if (left < 0) return i + j;
        }
        return i + count - 1;
    }
    return n - 1;
}

CLONES float sl_rms_norm(long n, const float *restrict x, const float *restrict w, float epsilon, float *restrict y) {
    FAST float s = 0;
    for (long i = 0; i < n; i++) s += x[i] * x[i];
    float r = 1.0f / sqrtf(s / (float)n + epsilon);
    for (long i = 0; i < n; i++) y[i] = x[i] * r * w[i];
    return r;
}

CLONES void sl_rms_norm_backward(long n, const float *restrict x, const float *restrict w, float r,
                                 const float *restrict dy, float *restrict dx, float *restrict dw) {
    FAST float s = 0;
    for (long i = 0; i < n; i++) s += dy[i] * w[i] * x[i];
    float c = s * r * r * r / (float)n;
    for (long i = 0; i < n; i++) dx[i] += dy[i] * w[i] * r - x[i] * c;
    if (dw)
        for (long i = 0; i < n; i++) dw[i] += dy[i] * x[i] * r;
}

CLONES void sl_layer_norm(long n, const float *restrict x, const float *restrict w, const float *restrict b,
                          float epsilon, float *restrict y, float *restrict statistics) {
    FAST float s = 0, q = 0;
    for (long i = 0; i < n; i++) s += x[i];
    float mean = s / (float)n;
    for (long i = 0; i < n; i++) q += (x[i] - mean) * (x[i] - mean);
    float r = 1.0f / sqrtf(q / (float)n + epsilon);
    for (long i = 0; i < n; i++) y[i] = (x[i] - mean) * r * w[i] + b[i];
    statistics[0] = mean;
    statistics[1] = r;
}

CLONES void sl_layer_norm_backward(long n, const float *restrict x, const float *restrict w,
                                   const float *restrict statistics, const float *restrict dy, float *restrict dx,
                                   float *restrict dw, float *restrict db) {
    FAST float mean = statistics[0], r = statistics[1], s = 0, q = 0;
    for (long i = 0; i < n; i++) {
        float g = dy[i] * w[i];
        s += g;
        q += g * (x[i] - mean) * r;
    }
    s /= (float)n;
    q /= (float)n;
    for (long i = 0; i < n; i++) dx[i] += (dy[i] * w[i] - s - (x[i] - mean) * r * q) * r;
    if (dw)
        for (long i = 0; i < n; i++) {
            dw[i] += dy[i] * (x[i] - mean) * r;
            db[i] += dy[i];
        }
}

CLONES void sl_silu_multiply(long n, const float *restrict gate, const float *restrict up, float *restrict y) {
    for (long i = 0; i < n; i++) y[i] = gate[i] / (1.0f + fast_exp(-gate[i])) * up[i];
}

CLONES void sl_silu_multiply_backward(long n, const float *restrict gate, const float *restrict up,
                                      const float *restrict dy, float *restrict dgate, float *restrict dup) {
    for (long i = 0; i < n; i++) {
        float s = 1.0f / (1.0f + fast_exp(-gate[i]));
        float silu = gate[i] * s;
        dup[i] = dy[i] * silu;
        dgate[i] = dy[i] * up[i] * (s + silu * (1.0f - s));
    }
}

CLONES void sl_quick_gelu(long n, const float *restrict x, float *restrict y) {
    for (long i = 0; i < n; i++) y[i] = x[i] / (1.0f + fast_exp(-1.702f * x[i]));
}

CLONES void sl_quick_gelu_backward(long n, const float *restrict x, const float *restrict dy, float *restrict dx) {
    for (long i = 0; i < n; i++) {
        float s = 1.0f / (1.0f + fast_exp(-1.702f * x[i]));
        dx[i] = dy[i] * (s + 1.702f * x[i] * s * (1.0f - s));
    }
}

void sl_gelu(long n, const float *x, float *y) {
    for (long i = 0; i < n; i++) y[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678118654752f));
}

void sl_gelu_backward(long n, const float *x, const float *dy, float *dx) {
    for (long i = 0; i < n; i++) {
        float phi = 0.5f * (1.0f + erff(x[i] * 0.70710678118654752f));
        dx[i] = dy[i] * (phi + x[i] * 0.39894228040143268f * expf(-0.5f * x[i] * x[i]));
    }
}

// 0.5·(1 + tanh(u)) is the logistic function of 2u, here with u = √(2/π)·(x + 0.044715·x³).
CLONES void sl_gelu_tanh(long n, const float *restrict x, float *restrict y) {
    for (long i = 0; i < n; i++) {
        float twice = 1.5957691216057308f * x[i] * (1.0f + 0.044715f * x[i] * x[i]);
        y[i] = x[i] / (1.0f + fast_exp(-twice));
    }
}

CLONES void sl_gelu_tanh_backward(long n, const float *restrict x, const float *restrict dy, float *restrict dx) {
    for (long i = 0; i < n; i++) {
        float twice = 1.5957691216057308f * x[i] * (1.0f + 0.044715f * x[i] * x[i]);
        float slope = 1.5957691216057308f * (1.0f + 3.0f * 0.044715f * x[i] * x[i]);
        float s = 1.0f / (1.0f + fast_exp(-twice));
        dx[i] = dy[i] * (s + x[i] * slope * s * (1.0f - s));
    }
}

CLONES void sl_rotate(long half, const float *restrict cosine, const float *restrict sine, float direction,
                      float *restrict x) {
    FAST for (long i = 0; i < half; i++) {
        float a = x[i], b = x[i + half], s = sine[i] * direction;
        x[i] = a * cosine[i] - b * s;
        x[i + half] = b * cosine[i] + a * s;
    }
}

CLONES void sl_softmax_backward(long n, const float *restrict p, float delta, float scale, float *restrict dp) {
    FAST for (long i = 0; i < n; i++) dp[i] = p[i] * (dp[i] - delta) * scale;
}

CLONES void sl_adamw(long n, float *restrict value, const float *restrict gradient, float *restrict first,
                     float *restrict second, float gradient_scale, float rate, float beta1, float beta2,
                     float correction1, float correction2, float epsilon, float decay) {
    FAST for (long i = 0; i < n; i++) {
        float g = gradient[i] * gradient_scale;
        float m = beta1 * first[i] + (1.0f - beta1) * g;
        float v = beta2 * second[i] + (1.0f - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        value[i] = value[i] * (1.0f - rate * decay) - rate * (m / correction1) / (sqrtf(v / correction2) + epsilon);
    }
}
