/* Input of the compiler whose allocations are recorded; `programs.sh gcc`. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct node_0 { struct node_0 *next; int key; char name[8]; double weight[1]; };
static int visit_0(struct node_0 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 0; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_0(void *p, int n) { double s = 0; int f = visit_0(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_1 { struct node_1 *next; int key; char name[9]; double weight[2]; };
static int visit_1(struct node_1 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 1; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_1(void *p, int n) { double s = 1; int f = visit_1(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_2 { struct node_2 *next; int key; char name[10]; double weight[3]; };
static int visit_2(struct node_2 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 2; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_2(void *p, int n) { double s = 2; int f = visit_2(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_3 { struct node_3 *next; int key; char name[11]; double weight[4]; };
static int visit_3(struct node_3 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 3; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_3(void *p, int n) { double s = 3; int f = visit_3(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_4 { struct node_4 *next; int key; char name[12]; double weight[5]; };
static int visit_4(struct node_4 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 4; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_4(void *p, int n) { double s = 4; int f = visit_4(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_5 { struct node_5 *next; int key; char name[13]; double weight[1]; };
static int visit_5(struct node_5 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 5; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_5(void *p, int n) { double s = 5; int f = visit_5(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_6 { struct node_6 *next; int key; char name[14]; double weight[2]; };
static int visit_6(struct node_6 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 6; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_6(void *p, int n) { double s = 6; int f = visit_6(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_7 { struct node_7 *next; int key; char name[15]; double weight[3]; };
static int visit_7(struct node_7 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 7; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_7(void *p, int n) { double s = 7; int f = visit_7(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_8 { struct node_8 *next; int key; char name[16]; double weight[4]; };
static int visit_8(struct node_8 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 8; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_8(void *p, int n) { double s = 8; int f = visit_8(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_9 { struct node_9 *next; int key; char name[17]; double weight[5]; };
static int visit_9(struct node_9 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 9; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_9(void *p, int n) { double s = 9; int f = visit_9(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_10 { struct node_10 *next; int key; char name[18]; double weight[1]; };
static int visit_10(struct node_10 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 10; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_10(void *p, int n) { double s = 10; int f = visit_10(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_11 { struct node_11 *next; int key; char name[19]; double weight[2]; };
static int visit_11(struct node_11 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 11; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_11(void *p, int n) { double s = 11; int f = visit_11(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_12 { struct node_12 *next; int key; char name[20]; double weight[3]; };
static int visit_12(struct node_12 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 12; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_12(void *p, int n) { double s = 12; int f = visit_12(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_13 { struct node_13 *next; int key; char name[21]; double weight[4]; };
static int visit_13(struct node_13 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 13; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_13(void *p, int n) { double s = 13; int f = visit_13(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_14 { struct node_14 *next; int key; char name[22]; double weight[5]; };
static int visit_14(struct node_14 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 14; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_14(void *p, int n) { double s = 14; int f = visit_14(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_15 { struct node_15 *next; int key; char name[23]; double weight[1]; };
static int visit_15(struct node_15 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 15; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_15(void *p, int n) { double s = 15; int f = visit_15(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_16 { struct node_16 *next; int key; char name[24]; double weight[2]; };
static int visit_16(struct node_16 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 16; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_16(void *p, int n) { double s = 16; int f = visit_16(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_17 { struct node_17 *next; int key; char name[25]; double weight[3]; };
static int visit_17(struct node_17 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 17; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_17(void *p, int n) { double s = 17; int f = visit_17(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_18 { struct node_18 *next; int key; char name[26]; double weight[4]; };
static int visit_18(struct node_18 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 18; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_18(void *p, int n) { double s = 18; int f = visit_18(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_19 { struct node_19 *next; int key; char name[27]; double weight[5]; };
static int visit_19(struct node_19 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 19; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_19(void *p, int n) { double s = 19; int f = visit_19(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_20 { struct node_20 *next; int key; char name[28]; double weight[1]; };
static int visit_20(struct node_20 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 20; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_20(void *p, int n) { double s = 20; int f = visit_20(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_21 { struct node_21 *next; int key; char name[29]; double weight[2]; };
static int visit_21(struct node_21 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 21; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_21(void *p, int n) { double s = 21; int f = visit_21(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_22 { struct node_22 *next; int key; char name[30]; double weight[3]; };
static int visit_22(struct node_22 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 22; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_22(void *p, int n) { double s = 22; int f = visit_22(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_23 { struct node_23 *next; int key; char name[31]; double weight[4]; };
static int visit_23(struct node_23 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 23; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_23(void *p, int n) { double s = 23; int f = visit_23(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_24 { struct node_24 *next; int key; char name[8]; double weight[5]; };
static int visit_24(struct node_24 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 24; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_24(void *p, int n) { double s = 24; int f = visit_24(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_25 { struct node_25 *next; int key; char name[9]; double weight[1]; };
static int visit_25(struct node_25 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 25; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_25(void *p, int n) { double s = 25; int f = visit_25(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_26 { struct node_26 *next; int key; char name[10]; double weight[2]; };
static int visit_26(struct node_26 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 26; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_26(void *p, int n) { double s = 26; int f = visit_26(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_27 { struct node_27 *next; int key; char name[11]; double weight[3]; };
static int visit_27(struct node_27 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 27; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_27(void *p, int n) { double s = 27; int f = visit_27(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_28 { struct node_28 *next; int key; char name[12]; double weight[4]; };
static int visit_28(struct node_28 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 28; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_28(void *p, int n) { double s = 28; int f = visit_28(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_29 { struct node_29 *next; int key; char name[13]; double weight[5]; };
static int visit_29(struct node_29 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 29; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_29(void *p, int n) { double s = 29; int f = visit_29(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_30 { struct node_30 *next; int key; char name[14]; double weight[1]; };
static int visit_30(struct node_30 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 30; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_30(void *p, int n) { double s = 30; int f = visit_30(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_31 { struct node_31 *next; int key; char name[15]; double weight[2]; };
static int visit_31(struct node_31 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 31; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_31(void *p, int n) { double s = 31; int f = visit_31(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_32 { struct node_32 *next; int key; char name[16]; double weight[3]; };
static int visit_32(struct node_32 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 32; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_32(void *p, int n) { double s = 32; int f = visit_32(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_33 { struct node_33 *next; int key; char name[17]; double weight[4]; };
static int visit_33(struct node_33 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 33; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_33(void *p, int n) { double s = 33; int f = visit_33(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_34 { struct node_34 *next; int key; char name[18]; double weight[5]; };
static int visit_34(struct node_34 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 34; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_34(void *p, int n) { double s = 34; int f = visit_34(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_35 { struct node_35 *next; int key; char name[19]; double weight[1]; };
static int visit_35(struct node_35 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 35; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_35(void *p, int n) { double s = 35; int f = visit_35(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_36 { struct node_36 *next; int key; char name[20]; double weight[2]; };
static int visit_36(struct node_36 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 36; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_36(void *p, int n) { double s = 36; int f = visit_36(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_37 { struct node_37 *next; int key; char name[21]; double weight[3]; };
static int visit_37(struct node_37 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 37; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_37(void *p, int n) { double s = 37; int f = visit_37(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_38 { struct node_38 *next; int key; char name[22]; double weight[4]; };
static int visit_38(struct node_38 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 38; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_38(void *p, int n) { double s = 38; int f = visit_38(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_39 { struct node_39 *next; int key; char name[23]; double weight[5]; };
static int visit_39(struct node_39 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 39; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_39(void *p, int n) { double s = 39; int f = visit_39(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_40 { struct node_40 *next; int key; char name[24]; double weight[1]; };
static int visit_40(struct node_40 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 40; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_40(void *p, int n) { double s = 40; int f = visit_40(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_41 { struct node_41 *next; int key; char name[25]; double weight[2]; };
static int visit_41(struct node_41 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 41; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_41(void *p, int n) { double s = 41; int f = visit_41(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_42 { struct node_42 *next; int key; char name[26]; double weight[3]; };
static int visit_42(struct node_42 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 42; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_42(void *p, int n) { double s = 42; int f = visit_42(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_43 { struct node_43 *next; int key; char name[27]; double weight[4]; };
static int visit_43(struct node_43 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 43; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_43(void *p, int n) { double s = 43; int f = visit_43(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_44 { struct node_44 *next; int key; char name[28]; double weight[5]; };
static int visit_44(struct node_44 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 44; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_44(void *p, int n) { double s = 44; int f = visit_44(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_45 { struct node_45 *next; int key; char name[29]; double weight[1]; };
static int visit_45(struct node_45 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 45; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_45(void *p, int n) { double s = 45; int f = visit_45(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_46 { struct node_46 *next; int key; char name[30]; double weight[2]; };
static int visit_46(struct node_46 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 46; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_46(void *p, int n) { double s = 46; int f = visit_46(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_47 { struct node_47 *next; int key; char name[31]; double weight[3]; };
static int visit_47(struct node_47 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 47; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_47(void *p, int n) { double s = 47; int f = visit_47(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_48 { struct node_48 *next; int key; char name[8]; double weight[4]; };
static int visit_48(struct node_48 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 48; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_48(void *p, int n) { double s = 48; int f = visit_48(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_49 { struct node_49 *next; int key; char name[9]; double weight[5]; };
static int visit_49(struct node_49 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 49; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_49(void *p, int n) { double s = 49; int f = visit_49(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_50 { struct node_50 *next; int key; char name[10]; double weight[1]; };
static int visit_50(struct node_50 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 50; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_50(void *p, int n) { double s = 50; int f = visit_50(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_51 { struct node_51 *next; int key; char name[11]; double weight[2]; };
static int visit_51(struct node_51 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 51; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_51(void *p, int n) { double s = 51; int f = visit_51(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_52 { struct node_52 *next; int key; char name[12]; double weight[3]; };
static int visit_52(struct node_52 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 52; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_52(void *p, int n) { double s = 52; int f = visit_52(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_53 { struct node_53 *next; int key; char name[13]; double weight[4]; };
static int visit_53(struct node_53 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 53; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_53(void *p, int n) { double s = 53; int f = visit_53(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_54 { struct node_54 *next; int key; char name[14]; double weight[5]; };
static int visit_54(struct node_54 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 54; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_54(void *p, int n) { double s = 54; int f = visit_54(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_55 { struct node_55 *next; int key; char name[15]; double weight[1]; };
static int visit_55(struct node_55 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 55; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_55(void *p, int n) { double s = 55; int f = visit_55(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_56 { struct node_56 *next; int key; char name[16]; double weight[2]; };
static int visit_56(struct node_56 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 56; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_56(void *p, int n) { double s = 56; int f = visit_56(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_57 { struct node_57 *next; int key; char name[17]; double weight[3]; };
static int visit_57(struct node_57 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 57; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_57(void *p, int n) { double s = 57; int f = visit_57(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_58 { struct node_58 *next; int key; char name[18]; double weight[4]; };
static int visit_58(struct node_58 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 58; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_58(void *p, int n) { double s = 58; int f = visit_58(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_59 { struct node_59 *next; int key; char name[19]; double weight[5]; };
static int visit_59(struct node_59 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 59; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_59(void *p, int n) { double s = 59; int f = visit_59(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_60 { struct node_60 *next; int key; char name[20]; double weight[1]; };
static int visit_60(struct node_60 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 60; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_60(void *p, int n) { double s = 60; int f = visit_60(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_61 { struct node_61 *next; int key; char name[21]; double weight[2]; };
static int visit_61(struct node_61 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 61; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_61(void *p, int n) { double s = 61; int f = visit_61(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_62 { struct node_62 *next; int key; char name[22]; double weight[3]; };
static int visit_62(struct node_62 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 62; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_62(void *p, int n) { double s = 62; int f = visit_62(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_63 { struct node_63 *next; int key; char name[23]; double weight[4]; };
static int visit_63(struct node_63 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 63; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_63(void *p, int n) { double s = 63; int f = visit_63(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_64 { struct node_64 *next; int key; char name[24]; double weight[5]; };
static int visit_64(struct node_64 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 64; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_64(void *p, int n) { double s = 64; int f = visit_64(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_65 { struct node_65 *next; int key; char name[25]; double weight[1]; };
static int visit_65(struct node_65 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 65; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_65(void *p, int n) { double s = 65; int f = visit_65(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_66 { struct node_66 *next; int key; char name[26]; double weight[2]; };
static int visit_66(struct node_66 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 66; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_66(void *p, int n) { double s = 66; int f = visit_66(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_67 { struct node_67 *next; int key; char name[27]; double weight[3]; };
static int visit_67(struct node_67 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 67; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_67(void *p, int n) { double s = 67; int f = visit_67(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_68 { struct node_68 *next; int key; char name[28]; double weight[4]; };
static int visit_68(struct node_68 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 68; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_68(void *p, int n) { double s = 68; int f = visit_68(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_69 { struct node_69 *next; int key; char name[29]; double weight[5]; };
static int visit_69(struct node_69 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 69; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_69(void *p, int n) { double s = 69; int f = visit_69(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_70 { struct node_70 *next; int key; char name[30]; double weight[1]; };
static int visit_70(struct node_70 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 70; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_70(void *p, int n) { double s = 70; int f = visit_70(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_71 { struct node_71 *next; int key; char name[31]; double weight[2]; };
static int visit_71(struct node_71 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 71; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_71(void *p, int n) { double s = 71; int f = visit_71(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_72 { struct node_72 *next; int key; char name[8]; double weight[3]; };
static int visit_72(struct node_72 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 72; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_72(void *p, int n) { double s = 72; int f = visit_72(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_73 { struct node_73 *next; int key; char name[9]; double weight[4]; };
static int visit_73(struct node_73 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 73; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_73(void *p, int n) { double s = 73; int f = visit_73(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_74 { struct node_74 *next; int key; char name[10]; double weight[5]; };
static int visit_74(struct node_74 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 74; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_74(void *p, int n) { double s = 74; int f = visit_74(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_75 { struct node_75 *next; int key; char name[11]; double weight[1]; };
static int visit_75(struct node_75 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 75; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_75(void *p, int n) { double s = 75; int f = visit_75(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_76 { struct node_76 *next; int key; char name[12]; double weight[2]; };
static int visit_76(struct node_76 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 76; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_76(void *p, int n) { double s = 76; int f = visit_76(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_77 { struct node_77 *next; int key; char name[13]; double weight[3]; };
static int visit_77(struct node_77 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 77; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_77(void *p, int n) { double s = 77; int f = visit_77(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_78 { struct node_78 *next; int key; char name[14]; double weight[4]; };
static int visit_78(struct node_78 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 78; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_78(void *p, int n) { double s = 78; int f = visit_78(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_79 { struct node_79 *next; int key; char name[15]; double weight[5]; };
static int visit_79(struct node_79 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 79; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_79(void *p, int n) { double s = 79; int f = visit_79(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_80 { struct node_80 *next; int key; char name[16]; double weight[1]; };
static int visit_80(struct node_80 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 80; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_80(void *p, int n) { double s = 80; int f = visit_80(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_81 { struct node_81 *next; int key; char name[17]; double weight[2]; };
static int visit_81(struct node_81 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 81; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_81(void *p, int n) { double s = 81; int f = visit_81(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_82 { struct node_82 *next; int key; char name[18]; double weight[3]; };
static int visit_82(struct node_82 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 82; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_82(void *p, int n) { double s = 82; int f = visit_82(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_83 { struct node_83 *next; int key; char name[19]; double weight[4]; };
static int visit_83(struct node_83 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 83; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_83(void *p, int n) { double s = 83; int f = visit_83(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_84 { struct node_84 *next; int key; char name[20]; double weight[5]; };
static int visit_84(struct node_84 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 84; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_84(void *p, int n) { double s = 84; int f = visit_84(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_85 { struct node_85 *next; int key; char name[21]; double weight[1]; };
static int visit_85(struct node_85 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 85; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_85(void *p, int n) { double s = 85; int f = visit_85(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_86 { struct node_86 *next; int key; char name[22]; double weight[2]; };
static int visit_86(struct node_86 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 86; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_86(void *p, int n) { double s = 86; int f = visit_86(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_87 { struct node_87 *next; int key; char name[23]; double weight[3]; };
static int visit_87(struct node_87 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 87; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_87(void *p, int n) { double s = 87; int f = visit_87(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_88 { struct node_88 *next; int key; char name[24]; double weight[4]; };
static int visit_88(struct node_88 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 88; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_88(void *p, int n) { double s = 88; int f = visit_88(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_89 { struct node_89 *next; int key; char name[25]; double weight[5]; };
static int visit_89(struct node_89 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 89; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_89(void *p, int n) { double s = 89; int f = visit_89(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_90 { struct node_90 *next; int key; char name[26]; double weight[1]; };
static int visit_90(struct node_90 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 90; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_90(void *p, int n) { double s = 90; int f = visit_90(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_91 { struct node_91 *next; int key; char name[27]; double weight[2]; };
static int visit_91(struct node_91 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 91; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_91(void *p, int n) { double s = 91; int f = visit_91(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_92 { struct node_92 *next; int key; char name[28]; double weight[3]; };
static int visit_92(struct node_92 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 92; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_92(void *p, int n) { double s = 92; int f = visit_92(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_93 { struct node_93 *next; int key; char name[29]; double weight[4]; };
static int visit_93(struct node_93 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 93; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_93(void *p, int n) { double s = 93; int f = visit_93(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_94 { struct node_94 *next; int key; char name[30]; double weight[5]; };
static int visit_94(struct node_94 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 94; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_94(void *p, int n) { double s = 94; int f = visit_94(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_95 { struct node_95 *next; int key; char name[31]; double weight[1]; };
static int visit_95(struct node_95 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 95; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_95(void *p, int n) { double s = 95; int f = visit_95(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_96 { struct node_96 *next; int key; char name[8]; double weight[2]; };
static int visit_96(struct node_96 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 96; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_96(void *p, int n) { double s = 96; int f = visit_96(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_97 { struct node_97 *next; int key; char name[9]; double weight[3]; };
static int visit_97(struct node_97 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 97; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_97(void *p, int n) { double s = 97; int f = visit_97(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_98 { struct node_98 *next; int key; char name[10]; double weight[4]; };
static int visit_98(struct node_98 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 98; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_98(void *p, int n) { double s = 98; int f = visit_98(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_99 { struct node_99 *next; int key; char name[11]; double weight[5]; };
static int visit_99(struct node_99 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 99; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_99(void *p, int n) { double s = 99; int f = visit_99(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_100 { struct node_100 *next; int key; char name[12]; double weight[1]; };
static int visit_100(struct node_100 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 100; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_100(void *p, int n) { double s = 100; int f = visit_100(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_101 { struct node_101 *next; int key; char name[13]; double weight[2]; };
static int visit_101(struct node_101 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 101; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_101(void *p, int n) { double s = 101; int f = visit_101(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_102 { struct node_102 *next; int key; char name[14]; double weight[3]; };
static int visit_102(struct node_102 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 102; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_102(void *p, int n) { double s = 102; int f = visit_102(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_103 { struct node_103 *next; int key; char name[15]; double weight[4]; };
static int visit_103(struct node_103 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 103; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_103(void *p, int n) { double s = 103; int f = visit_103(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_104 { struct node_104 *next; int key; char name[16]; double weight[5]; };
static int visit_104(struct node_104 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 104; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_104(void *p, int n) { double s = 104; int f = visit_104(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_105 { struct node_105 *next; int key; char name[17]; double weight[1]; };
static int visit_105(struct node_105 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 105; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_105(void *p, int n) { double s = 105; int f = visit_105(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_106 { struct node_106 *next; int key; char name[18]; double weight[2]; };
static int visit_106(struct node_106 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 106; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_106(void *p, int n) { double s = 106; int f = visit_106(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_107 { struct node_107 *next; int key; char name[19]; double weight[3]; };
static int visit_107(struct node_107 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 107; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_107(void *p, int n) { double s = 107; int f = visit_107(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_108 { struct node_108 *next; int key; char name[20]; double weight[4]; };
static int visit_108(struct node_108 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 108; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_108(void *p, int n) { double s = 108; int f = visit_108(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_109 { struct node_109 *next; int key; char name[21]; double weight[5]; };
static int visit_109(struct node_109 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 109; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_109(void *p, int n) { double s = 109; int f = visit_109(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_110 { struct node_110 *next; int key; char name[22]; double weight[1]; };
static int visit_110(struct node_110 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 110; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_110(void *p, int n) { double s = 110; int f = visit_110(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_111 { struct node_111 *next; int key; char name[23]; double weight[2]; };
static int visit_111(struct node_111 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 111; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_111(void *p, int n) { double s = 111; int f = visit_111(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_112 { struct node_112 *next; int key; char name[24]; double weight[3]; };
static int visit_112(struct node_112 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 112; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_112(void *p, int n) { double s = 112; int f = visit_112(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_113 { struct node_113 *next; int key; char name[25]; double weight[4]; };
static int visit_113(struct node_113 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 113; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_113(void *p, int n) { double s = 113; int f = visit_113(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_114 { struct node_114 *next; int key; char name[26]; double weight[5]; };
static int visit_114(struct node_114 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 114; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_114(void *p, int n) { double s = 114; int f = visit_114(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_115 { struct node_115 *next; int key; char name[27]; double weight[1]; };
static int visit_115(struct node_115 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 115; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_115(void *p, int n) { double s = 115; int f = visit_115(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_116 { struct node_116 *next; int key; char name[28]; double weight[2]; };
static int visit_116(struct node_116 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 116; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_116(void *p, int n) { double s = 116; int f = visit_116(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_117 { struct node_117 *next; int key; char name[29]; double weight[3]; };
static int visit_117(struct node_117 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 117; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_117(void *p, int n) { double s = 117; int f = visit_117(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_118 { struct node_118 *next; int key; char name[30]; double weight[4]; };
static int visit_118(struct node_118 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 118; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_118(void *p, int n) { double s = 118; int f = visit_118(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_119 { struct node_119 *next; int key; char name[31]; double weight[5]; };
static int visit_119(struct node_119 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 119; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_119(void *p, int n) { double s = 119; int f = visit_119(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_120 { struct node_120 *next; int key; char name[8]; double weight[1]; };
static int visit_120(struct node_120 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 120; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_120(void *p, int n) { double s = 120; int f = visit_120(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_121 { struct node_121 *next; int key; char name[9]; double weight[2]; };
static int visit_121(struct node_121 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 121; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_121(void *p, int n) { double s = 121; int f = visit_121(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_122 { struct node_122 *next; int key; char name[10]; double weight[3]; };
static int visit_122(struct node_122 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 122; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_122(void *p, int n) { double s = 122; int f = visit_122(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_123 { struct node_123 *next; int key; char name[11]; double weight[4]; };
static int visit_123(struct node_123 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 123; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_123(void *p, int n) { double s = 123; int f = visit_123(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_124 { struct node_124 *next; int key; char name[12]; double weight[5]; };
static int visit_124(struct node_124 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 124; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_124(void *p, int n) { double s = 124; int f = visit_124(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_125 { struct node_125 *next; int key; char name[13]; double weight[1]; };
static int visit_125(struct node_125 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 125; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_125(void *p, int n) { double s = 125; int f = visit_125(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_126 { struct node_126 *next; int key; char name[14]; double weight[2]; };
static int visit_126(struct node_126 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 126; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_126(void *p, int n) { double s = 126; int f = visit_126(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_127 { struct node_127 *next; int key; char name[15]; double weight[3]; };
static int visit_127(struct node_127 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 127; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_127(void *p, int n) { double s = 127; int f = visit_127(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_128 { struct node_128 *next; int key; char name[16]; double weight[4]; };
static int visit_128(struct node_128 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 128; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_128(void *p, int n) { double s = 128; int f = visit_128(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_129 { struct node_129 *next; int key; char name[17]; double weight[5]; };
static int visit_129(struct node_129 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 129; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_129(void *p, int n) { double s = 129; int f = visit_129(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_130 { struct node_130 *next; int key; char name[18]; double weight[1]; };
static int visit_130(struct node_130 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 130; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_130(void *p, int n) { double s = 130; int f = visit_130(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_131 { struct node_131 *next; int key; char name[19]; double weight[2]; };
static int visit_131(struct node_131 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 131; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_131(void *p, int n) { double s = 131; int f = visit_131(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_132 { struct node_132 *next; int key; char name[20]; double weight[3]; };
static int visit_132(struct node_132 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 132; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_132(void *p, int n) { double s = 132; int f = visit_132(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_133 { struct node_133 *next; int key; char name[21]; double weight[4]; };
static int visit_133(struct node_133 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 133; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_133(void *p, int n) { double s = 133; int f = visit_133(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_134 { struct node_134 *next; int key; char name[22]; double weight[5]; };
static int visit_134(struct node_134 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 5) {
        case 0: *sum += at->weight[0] * 134; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_134(void *p, int n) { double s = 134; int f = visit_134(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_135 { struct node_135 *next; int key; char name[23]; double weight[1]; };
static int visit_135(struct node_135 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 6) {
        case 0: *sum += at->weight[0] * 135; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_135(void *p, int n) { double s = 135; int f = visit_135(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_136 { struct node_136 *next; int key; char name[24]; double weight[2]; };
static int visit_136(struct node_136 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 7) {
        case 0: *sum += at->weight[0] * 136; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_136(void *p, int n) { double s = 136; int f = visit_136(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_137 { struct node_137 *next; int key; char name[25]; double weight[3]; };
static int visit_137(struct node_137 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 8) {
        case 0: *sum += at->weight[0] * 137; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_137(void *p, int n) { double s = 137; int f = visit_137(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_138 { struct node_138 *next; int key; char name[26]; double weight[4]; };
static int visit_138(struct node_138 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 3) {
        case 0: *sum += at->weight[0] * 138; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_138(void *p, int n) { double s = 138; int f = visit_138(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }

struct node_139 { struct node_139 *next; int key; char name[27]; double weight[5]; };
static int visit_139(struct node_139 *at, int depth, double *sum)
{
    int found = 0;
    for (; at && depth > 0; at = at->next, depth--) {
        switch (at->key % 4) {
        case 0: *sum += at->weight[0] * 139; break;
        case 1: found += (int)strlen(at->name); break;
        case 2: for (size_t k = 0; k < sizeof at->weight / sizeof *at->weight; k++) *sum -= at->weight[k]; break;
        default: found += at->name[at->key % (int)sizeof at->name] == 'x';
        }
    }
    return found;
}
int use_139(void *p, int n) { double s = 139; int f = visit_139(p, n, &s); printf("%d %g\n", f, s); return f + (int)s; }
