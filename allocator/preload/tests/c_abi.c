/* Every exported function of the C library: results, alignment, errno. Prints "all held" or the line that did not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLDS(x) do { if (!(x)) { fprintf(stderr, "line %d: %s\n", __LINE__, #x); exit(1); } } while (0)
#define ALIGNED(p, a) (((uintptr_t)(p) & ((a) - 1)) == 0)

static void *late(void *key) { pthread_setspecific(*(pthread_key_t *)key, malloc(100)); return malloc(50); }

int main(void) {
    volatile size_t huge = (size_t)-1;
    void *p = malloc(0), *q;
    HOLDS(p && ALIGNED(p, 16));
    free(p);
    free(NULL);
    errno = 0;
    HOLDS(malloc(huge) == NULL && errno == ENOMEM);
    errno = 0;
    HOLDS(calloc(huge, 2) == NULL && errno == ENOMEM);
    errno = 0;
    HOLDS(reallocarray(NULL, huge, 2) == NULL && errno == ENOMEM);
    errno = 0;
    HOLDS(aligned_alloc(3, 10) == NULL && errno == EINVAL);
    errno = 0;
    HOLDS(aligned_alloc(64, huge) == NULL && errno == ENOMEM);
    errno = 7;
    q = &p;
    HOLDS(posix_memalign(&q, 3, 10) == EINVAL && posix_memalign(&q, 4, 10) == EINVAL && q == &p);
    HOLDS(posix_memalign(&q, 64, huge) == ENOMEM && q == &p && errno == 7);
    HOLDS(posix_memalign(&q, 64, 100) == 0 && ALIGNED(q, 64));
    free(q);
    for (size_t align = 8; align <= 1 << 22; align *= 2) {
        HOLDS(posix_memalign(&q, align, 3 * align / 2) == 0 && ALIGNED(q, align));
        memset(q, 1, 3 * align / 2);
        free(q);
        p = memalign(align, 10);
        HOLDS(p && ALIGNED(p, align) && malloc_usable_size(p) >= 10);
        free(p);
        p = aligned_alloc(align, 100);
        HOLDS(p && ALIGNED(p, align));
        p = realloc(p, 100000);
        HOLDS(p);
        free(p);
    }
    p = valloc(10);
    HOLDS(p && ALIGNED(p, 4096));
    free(p);
    p = pvalloc(10);
    HOLDS(p && ALIGNED(p, 4096) && malloc_usable_size(p) >= 4096);
    free(p);
    HOLDS(malloc_usable_size(NULL) == 0);
    for (size_t n = 1; n < 6 << 20; n = n * 3 / 2 + 1) {
        unsigned char *c = malloc(n);
        HOLDS(c && malloc_usable_size(c) >= n);
        memset(c, 0x5a, n);
        c = realloc(c, n * 2);
        HOLDS(c && c[0] == 0x5a && c[n - 1] == 0x5a);
        c = realloc(c, n / 3 + 1);
        HOLDS(c && c[n / 3] == 0x5a);
        free(c);
        c = calloc(n, 1);
        for (size_t i = 0; i < n; i++) HOLDS(c[i] == 0);
        memset(c, 1, n);
        free(c);
    }
    HOLDS((p = realloc(NULL, 10)) != NULL);
    HOLDS(realloc(p, 0) == NULL);
    p = malloc(100);
    errno = 0;
    HOLDS(realloc(p, huge) == NULL && errno == ENOMEM);
    void (*fs)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    void (*fas)(void *, size_t, size_t) = (void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");
    HOLDS(fs && fas);
    fs(p, 100);
    fas(aligned_alloc(64, 128), 64, 128);
    p = malloc(20 << 20);
    memset(p, 1, 20 << 20);
    free(p);
    HOLDS(malloc_trim(0) == 1);
    pthread_key_t key;
    pthread_key_create(&key, free);
    for (int i = 0; i < 200; i++) {
        pthread_t t;
        HOLDS(pthread_create(&t, NULL, late, &key) == 0);
        pthread_join(t, &p);
        free(p);
    }
    puts("all held");
    return 0;
}
