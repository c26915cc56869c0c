#include <cblas.h>
#include <stdlib.h>
#include <string.h>
/* cblas.h of Debian declares these only under its own name of the library. */
char *openblas_get_corename(void);
char *openblas_get_config(void);
void openblas_set_num_threads(int num_threads);

/* No header declares these, and a build for one processor lacks them. */
void gotoblas_dynamic_init(void) __attribute__((weak));
void gotoblas_dynamic_quit(void) __attribute__((weak));

/*
 * An OpenBLAS that is older than the processor takes it for one of 2004 ("Prescott"). Has it choose its kernels
 * again by the name of a core whose instructions the processor has, unless the environment names one. Call before
 * the first product.
 */
static inline void sl_know_processor(const char *core) {
    static const char variable[] = "OPENBLAS_CORETYPE";
    if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit || getenv(variable)
        || strcmp(openblas_get_corename(), "Prescott") != 0)
        return;
    setenv(variable, core, 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv(variable);
}
