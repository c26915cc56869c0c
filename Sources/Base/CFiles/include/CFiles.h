/* What glibc declares for _GNU_SOURCE alone, which Swift doesn't define. Both give -1 and set errno on failure. */
#ifndef CFILES_H
#define CFILES_H

/* Opens a file without a name for writing; its bytes will lie on the file system of `folder`. */
int files_open_nameless(const char *folder);

/* Exchanges what stands at two names, in one step that every other process sees whole. */
int files_exchange(const char *one, const char *other);

#endif
