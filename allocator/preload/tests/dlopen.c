/* The library loaded at run time, beside the program's own malloc: it works on threads old and new, is not unloaded, and
   knows which blocks are its own. Argument: the library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLDS(x) do { if (!(x)) { fprintf(stderr, "line %d: %s\n", __LINE__, #x); exit(1); } } while (0)

static void *(*their_malloc)(size_t);
static void (*their_free)(void *);
static size_t (*their_usable)(void *);
static pthread_barrier_t barrier;

static void *work(void *early) {
    if (early) { pthread_barrier_wait(&barrier); pthread_barrier_wait(&barrier); }
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t)i * 37 % 70000;
        char *p = their_malloc(n);
        HOLDS(p && their_usable(p) >= n);
        memset(p, 1, n);
        their_free(p);
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t early, late;
    HOLDS(argc == 2);
    pthread_barrier_init(&barrier, NULL, 2);
    HOLDS(pthread_create(&early, NULL, work, argv) == 0);
    pthread_barrier_wait(&barrier);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) { fprintf(stderr, "%s\n", dlerror()); return 1; }
    their_malloc = (void *(*)(size_t))dlsym(library, "malloc");
    their_free = (void (*)(void *))dlsym(library, "free");
    their_usable = (size_t (*)(void *))dlsym(library, "malloc_usable_size");
    HOLDS(their_malloc && their_free && their_usable && their_malloc != malloc);
    pthread_barrier_wait(&barrier);
    HOLDS(pthread_create(&late, NULL, work, NULL) == 0);
    work(NULL);
    /* A block of the program's own goes to the next allocator in line. */
    char *own = malloc(100);
    HOLDS(their_usable(own) >= 100);
    their_free(own);
    dlclose(library);
    pthread_join(early, NULL);
    pthread_join(late, NULL);
    puts("all held");
    return 0;
}
