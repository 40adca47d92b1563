#include "sum.h"
#include <stdio.h>

int main(int count, char **words) {
    printf("%ld\n", sum(count - 1, words + 1));
    return 0;
}
