// C++ operators under the library: throwing, nothrow, sized, aligned, handlers that give up, free something, or throw.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

extern "C" size_t malloc_usable_size(void *);
#define HOLDS(x) do { if (!(x)) { fprintf(stderr, "line %d: %s\n", __LINE__, #x); exit(1); } } while (0)

static volatile size_t absurd = (size_t)1 << 62;
static int called;
static void gives_up() { if (++called == 3) std::set_new_handler(nullptr); }
static void throws() { called++; throw std::runtime_error("handler"); }
static void throws_bad_alloc() { called++; throw std::bad_alloc(); }

struct alignas(64) Wide { char bytes[192]; };
struct Unwound { ~Unwound() { called += 100; } };

template <class F> static int outcome(F f) {
    Unwound unwound;
    try { f(); return 0; }
    catch (const std::bad_alloc &) { return 1; }
    catch (const std::runtime_error &) { return 2; }
}

static void every_form(void *(*one)(size_t), void *(*many)(size_t)) {
    called = 0;
    HOLDS(outcome([&] { one(absurd); }) == 1 && outcome([&] { many(absurd); }) == 1 && called == 200);
    std::set_new_handler(gives_up);
    called = 0;
    HOLDS(outcome([&] { one(absurd); }) == 1 && called == 103);
    std::set_new_handler(throws);
    called = 0;
    HOLDS(outcome([&] { many(absurd); }) == 2 && called == 101);
    std::set_new_handler(nullptr);
}

int main() {
    every_form([](size_t n) { return ::operator new(n); }, [](size_t n) { return ::operator new[](n); });
    every_form([](size_t n) { return ::operator new(n, std::align_val_t(256)); },
               [](size_t n) { return ::operator new[](n, std::align_val_t(256)); });
    HOLDS(::operator new(absurd, std::nothrow) == nullptr && ::operator new[](absurd, std::nothrow) == nullptr);
    HOLDS(::operator new(absurd, std::align_val_t(64), std::nothrow) == nullptr);
    HOLDS(::operator new[](absurd, std::align_val_t(64), std::nothrow) == nullptr);
    // A handler that throws makes the nothrow forms return null, not terminate.
    std::set_new_handler(throws_bad_alloc);
    called = 0;
    HOLDS(::operator new(absurd, std::nothrow) == nullptr && called == 1);
    HOLDS(::operator new[](absurd, std::align_val_t(64), std::nothrow) == nullptr && called == 2);
    std::set_new_handler(nullptr);
    for (size_t n = 0; n < 5000; n += 7) {
        void *p = ::operator new(n), *q = ::operator new[](n), *r = ::operator new(n, std::nothrow);
        HOLDS(p && q && r && malloc_usable_size(p) >= n);
        ::operator delete(p, n);
        ::operator delete[](q, n);
        ::operator delete(r, std::nothrow);
        for (size_t a = 1; a <= 1 << 16; a *= 16) {
            p = ::operator new(n, std::align_val_t(a));
            q = ::operator new[](n, std::align_val_t(a), std::nothrow);
            HOLDS(((uintptr_t)p | (uintptr_t)q) % a == 0);
            ::operator delete(p, n, std::align_val_t(a));
            ::operator delete[](q, std::align_val_t(a));
        }
    }
    errno = 7;
    delete new int(3);
    HOLDS(errno == 7);
    auto wide = std::make_unique<Wide[]>(100);
    HOLDS((uintptr_t)wide.get() % 64 == 0);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) threads.emplace_back([t] {
        std::map<int, std::string> m;
        for (int i = 0; i < 20000; i++) m[i * 31 % 5000] = std::string(i % 200, 'a' + t);
        try { throw std::runtime_error(std::string(1000, 'x')); } catch (const std::exception &e) { HOLDS(e.what()[999] == 'x'); }
    });
    for (auto &t : threads) t.join();
    puts("all held");
}
