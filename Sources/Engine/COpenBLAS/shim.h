#include <cblas.h>
/* cblas.h of Debian declares these only under its own name of the library. */
char *openblas_get_corename(void);
char *openblas_get_config(void);
void openblas_set_num_threads(int num_threads);
