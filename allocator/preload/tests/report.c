/* Reports and tuning speak of this heap; other names of malloc are the same heap; free keeps errno. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HOLDS(x) do { if (!(x)) { fprintf(stderr, "line %d: %s\n", __LINE__, #x); exit(1); } } while (0)
#define MIB ((size_t)1 << 20)
#define BLOCKS 1000

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t), *__libc_valloc(size_t), *__libc_pvalloc(size_t);
extern void __libc_free(void *);

static char xml[1 << 16];

static size_t number_after(const char *text, const char *what) {
    const char *at = strstr(text, what);
    HOLDS(at);
    return strtoull(at + strlen(what), NULL, 10);
}

int main(void) {
    void *blocks[BLOCKS], *p;
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < BLOCKS; i++) memset(blocks[i] = malloc(10000), 1, 10000);
    void *large = malloc(500000), *huge = malloc(30 * MIB);
    memset(huge, 1, 30 * MIB);
    struct mallinfo2 full = mallinfo2();
    HOLDS(full.uordblks - before.uordblks >= BLOCKS * 10000 + 500000);
    HOLDS(full.uordblks - before.uordblks <= BLOCKS * 12000 + 500000 + MIB);
    HOLDS(full.arena >= full.uordblks && full.fordblks == full.arena - full.uordblks);
    HOLDS(full.hblks - before.hblks == 1 && full.hblkhd - before.hblkhd == 30 * MIB);
    struct mallinfo small = mallinfo();
    HOLDS((size_t)small.uordblks >= BLOCKS * 10000 && small.hblkhd == (int)full.hblkhd);

    FILE *stream = fmemopen(xml, sizeof xml, "w");
    HOLDS(malloc_info(1, stream) == EINVAL);
    HOLDS(malloc_info(0, stream) == 0 && fclose(stream) == 0);
    HOLDS(strncmp(xml, "<malloc version=\"1\">\n", 21) == 0 && strstr(xml, "</malloc>\n"));
    HOLDS(number_after(xml, "<total type=\"mmap\" count=\"1\" size=\"") == 30 * MIB);
    HOLDS(number_after(xml, "counter name=\"large_bytes\" value=\"") >= 500000);
    HOLDS(strstr(xml, "<allocator name=\"ace-alloc "));
    malloc_stats();

    for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
    free(large);
    free(huge);
    HOLDS(mallopt(M_ARENA_MAX, 2) == 1 && mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1 && mallopt(M_TRIM_THRESHOLD, 1 << 20) == 1);
    HOLDS(mallopt(M_PERTURB, 0) == 1 && mallopt(M_PERTURB, 1) == 0 && mallopt(12345, 1) == 0);
    HOLDS(malloc_trim(0) == 1);
    struct mallinfo2 empty = mallinfo2();
    HOLDS(empty.uordblks <= before.uordblks + MIB && empty.hblks == before.hblks && empty.arena <= before.arena + MIB);

    /* A pad is kept: a free superslab's pages stay, a second trim without pad returns them. */
    p = malloc(MIB);
    memset(p, 1, MIB);
    free(p);
    malloc_trim(4 * MIB);
    HOLDS(mallinfo2().arena >= MIB && mallinfo2().keepcost >= 2 * MIB);
    HOLDS(malloc_trim(0) == 1 && mallinfo2().arena < MIB && mallinfo2().keepcost == 0);
    /* M_PURGE trims. */
    p = malloc(MIB);
    memset(p, 1, MIB);
    free(p);
    HOLDS(mallinfo2().arena >= MIB && mallopt(-101, 0) == 1 && mallinfo2().arena < MIB);

    size_t out = mallinfo2().uordblks;
    p = __libc_malloc(200000);
    HOLDS(p && mallinfo2().uordblks >= out + 200000);
    p = __libc_realloc(p, 400000);
    HOLDS(p && mallinfo2().uordblks >= out + 400000);
    __libc_free(p);
    HOLDS(mallinfo2().uordblks < out + 200000);
    p = __libc_calloc(1000, 100);
    for (int i = 0; i < 100000; i++) HOLDS(((char *)p)[i] == 0);
    free(p);
    __libc_free(__libc_memalign(1 << 16, 10));
    __libc_free(__libc_valloc(10));
    __libc_free(__libc_pvalloc(10));
    int (*posix)(void **, size_t, size_t) = (int (*)(void **, size_t, size_t))dlsym(RTLD_DEFAULT, "__posix_memalign");
    HOLDS(posix && posix(&p, 64, 100) == 0);
    free(p);

    /* Advice on locked pages fails inside free; errno stays. */
    HOLDS(mallopt(-100, 0) == 1);
    for (int i = 0; i < 64; i++) blocks[i] = malloc(i % 2 ? 8 * MIB : 300000);
    mlock(blocks[0], 4096);
    errno = 7;
    for (int i = 0; i < 64; i++) free(blocks[i]);
    free(malloc(10));
    malloc_usable_size(NULL);
    HOLDS(errno == 7);
    puts("all held");
    return 0;
}
