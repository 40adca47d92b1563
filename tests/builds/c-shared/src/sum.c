#include "sum.h"
#include <stdlib.h>

long sum(int count, char **words) {
    long all = 0;
    for (int at = 0; at < count; at++)
        all += atol(words[at]);
    return all;
}
