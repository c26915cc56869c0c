#include "english.h"

#define TABLE(name) extern const unsigned char name##_start[], name##_end[];
TABLE(perceptron)
TABLE(punkt)
TABLE(lemmas)
TABLE(synonyms)

static const void *table(const unsigned char *start, const unsigned char *end, size_t *count) {
  *count = (size_t)(end - start);
  return start;
}

const void *english_table(enum english_table which, size_t *count) {
  switch (which) {
  case english_perceptron: return table(perceptron_start, perceptron_end, count);
  case english_punkt: return table(punkt_start, punkt_end, count);
  case english_lemmas: return table(lemmas_start, lemmas_end, count);
  case english_synonyms: return table(synonyms_start, synonyms_end, count);
  }
  *count = 0;
  return NULL;
}
