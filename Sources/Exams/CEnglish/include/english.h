#pragma once
#include <stddef.h>

/// Tables of English, which are linked into the program as they stand in this folder: the weights of a tagger, a
/// splitter's words, lemmas, and synonyms of COCO's objects.
enum english_table { english_perceptron, english_punkt, english_lemmas, english_synonyms };

/// The bytes of a table, and how many there are.
const void *english_table(enum english_table table, size_t *count);
