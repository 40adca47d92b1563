#include <stdio.h>
#include <unistd.h>

int main(int count, char **words) {
    printf("static hello to %s from process %d\n", count > 1 ? words[1] : "nobody", getpid());
    return 0;
}
