/* Prints the median nanoseconds of a malloc and free pair, over batches: run with and without the recorder. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCHES = 2001, PAIRS = 1000, HELD = 64 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    static double ns[BATCHES];
    void *held[HELD] = {0};
    for (int batch = 0; batch < BATCHES; batch++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        for (int at = 0; at < PAIRS; at++) {
            free(held[at % HELD]);
            held[at % HELD] = malloc(16 + at % 500);
        }
        clock_gettime(CLOCK_MONOTONIC, &end);
        ns[batch] = ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / PAIRS;
    }
    qsort(ns, BATCHES, sizeof *ns, compare);
    printf("%.1f %.1f\n", ns[BATCHES / 2], ns[BATCHES * 99 / 100]);
    return 0;
}
