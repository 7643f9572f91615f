// Pairs of malloc and free through the C interface, for instruction counts: pair-cost SHAPE FUNCTIONS PAIRS.
// FUNCTIONS is `engine` (malloc and free as the loader resolved them) or `stub` (two functions of three instructions
// together): the difference of both is the engine's. scripts/pair-cost.sh runs it under callgrind.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE = 100, SLOTS = 400 };

static char stub_block[2048];
static __attribute__((noinline)) void *stub_malloc(size_t bytes) { __asm__ volatile("" : : "r"(bytes)); return stub_block; }
static __attribute__((noinline)) void stub_free(void *block) { __asm__ volatile("" : : "r"(block)); }

typedef void *(*allocate)(size_t);
typedef void (*release)(void *);

// A ring of 100 live blocks of 64 bytes: the oldest goes, one comes.
static void ring(allocate take, release give, long pairs) {
    void *live[LIVE];
    for (int i = 0; i < LIVE; i++) live[i] = take(64);
    for (long i = 0, at = 0; i < pairs; i++) {
        give(live[at]);
        live[at] = take(64);
        at = at + 1 == LIVE ? 0 : at + 1;
    }
    for (int i = 0; i < LIVE; i++) give(live[i]);
}

// 100 blocks of 64 bytes are made, then freed.
static void batch(allocate take, release give, long pairs) {
    void *live[LIVE];
    for (long done = 0; done < pairs; done += LIVE) {
        for (int i = 0; i < LIVE; i++) live[i] = take(64);
        for (int i = 0; i < LIVE; i++) give(live[i]);
    }
}

// 400 slots of 16 to 1024 bytes, one at random replaced; slot and size are drawn independently.
static void mixed(allocate take, release give, long pairs) {
    void *live[SLOTS] = {0};
    uint64_t state = 42;
    for (int i = 0; i < SLOTS; i++) live[i] = take(16 + i * 2);
    for (long i = 0; i < pairs; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        unsigned slot = (unsigned)(state >> 33) % SLOTS;
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t bytes = 16 + (unsigned)(state >> 33) % 1009;
        give(live[slot]);
        char *block = take(bytes);
        *block = 1;
        live[slot] = block;
    }
    for (int i = 0; i < SLOTS; i++) give(live[i]);
}

int main(int count, char **words) {
    long pairs = count == 4 ? atol(words[3]) : 0;
    if (pairs <= 0) return fprintf(stderr, "usage: pair-cost ring|batch|mixed engine|stub PAIRS\n"), 2;
    int stub = !strcmp(words[2], "stub");
    allocate take = stub ? stub_malloc : malloc;
    release give = stub ? stub_free : free;
    if (!strcmp(words[1], "ring")) ring(take, give, pairs);
    else if (!strcmp(words[1], "batch")) batch(take, give, pairs);
    else if (!strcmp(words[1], "mixed")) mixed(take, give, pairs);
    else return fprintf(stderr, "pair-cost: no shape is called '%s'; known are ring, batch, mixed\n", words[1]), 2;
    return 0;
}
