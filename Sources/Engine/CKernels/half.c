#include "half.h"
#include <string.h>

// Integer arithmetic without branches instead of _Float16: the loops vectorise at every width, need
// no runtime library where F16C is absent, and never touch a float denormal, which would be slow.
#if defined(__x86_64__) && defined(__linux__)
#define FOR_EACH_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_CPU
#endif

typedef uint16_t __attribute__((aligned(1))) half_bits;

static inline float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

FOR_EACH_CPU void sl_widen_f16(const void *source, float *destination, size_t count) {
    const half_bits *half = source;
    for (size_t i = 0; i < count; i++) {
        uint32_t sign = (uint32_t)(half[i] & 0x8000u) << 16;
        uint32_t magnitude = (uint32_t)(half[i] & 0x7fffu) << 13;
        uint32_t exponent = magnitude & 0x0f800000u;
        // Exponent bias 15 becomes 127; an all-ones exponent has to stay all ones.
        uint32_t normal = magnitude + 0x38000000u + (exponent == 0x0f800000u ? 0x38000000u : 0u);
        // A subnormal is 2^-14 plus its mantissa, minus 2^-14: exact, and normal in f32.
        uint32_t subnormal = bits_of(float_of(magnitude + 0x38800000u) - float_of(0x38800000u));
        uint32_t bits = sign | (exponent == 0 ? subnormal : normal);
        memcpy(destination + i, &bits, sizeof bits);
    }
}

FOR_EACH_CPU void sl_widen_bf16(const void *source, float *destination, size_t count) {
    const half_bits *half = source;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)half[i] << 16;
        memcpy(destination + i, &bits, sizeof bits);
    }
}

FOR_EACH_CPU void sl_narrow_f16(const float *source, void *destination, size_t count) {
    half_bits *half = destination;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, source + i, sizeof bits);
        uint32_t sign = (bits >> 16) & 0x8000u;
        uint32_t magnitude = bits & 0x7fffffffu;
        // Rebias, then add just under half of the last kept place plus its parity: ties go to even,
        // and a carry out of the mantissa runs into the exponent as it should.
        uint32_t normal = (magnitude - 0x38000000u + 0x0fffu + ((magnitude >> 13) & 1u)) >> 13;
        // Below 2^-14, adding 0.5 puts the mantissa's last place at 2^-24, so the FPU rounds.
        uint32_t small = magnitude < 0x38800000u ? magnitude : 0u;
        uint32_t subnormal = bits_of(float_of(small) + 0.5f) - 0x3f000000u;
        uint32_t finite = magnitude < 0x38800000u ? subnormal : normal;
        // 65520 is the first value that rounds to infinity.
        uint32_t special = magnitude > 0x7f800000u ? (0x7e00u | (magnitude >> 13 & 0x3ffu)) : 0x7c00u;
        half[i] = (uint16_t)(sign | (magnitude >= 0x477ff000u ? special : finite));
    }
}

FOR_EACH_CPU void sl_narrow_bf16(const float *source, void *destination, size_t count) {
    half_bits *half = destination;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, source + i, sizeof bits);
        uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
        uint32_t quiet = (bits >> 16) | 0x40u;
        half[i] = (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
    }
}
