// A changed table is taken up when this file is assembled again.
.macro table name file
.global \name\()_start
.global \name\()_end
.balign 16
\name\()_start:
.incbin "\file"
\name\()_end:
.byte 0
.endm

.section .rodata
table perceptron perceptron.bin
table punkt punkt.txt
table lemmas lemmas.txt
table synonyms synonyms.txt

.section .note.GNU-stack, "", @progbits
