#pragma once
/* Tells the CPU that a loop waits for another thread. */
static inline void sl_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
