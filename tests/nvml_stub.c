/* What of libnvidia-ml.so.1 is called: signatures, structures and numbers of errors as in nvml.h (6 NOT_FOUND,
   7 INSUFFICIENT_SIZE, 25 ARGUMENT_VERSION_MISMATCH). A whole GPU, one that is divided, and a process if STUB_PID
   names it. */
#include <stdlib.h>
#include <string.h>
typedef struct { unsigned long long total, free, used; } m1;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } m2;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gi, ci; } process;
int nvmlInitWithFlags(unsigned f) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) { *d = (void *)(long)(i + 1); return 0; }
int nvmlDeviceGetMigMode(void *d, unsigned *now, unsigned *then) { *now = *then = d == (void *)2; return 0; }
int nvmlDeviceGetMaxMigDeviceCount(void *d, unsigned *n) { *n = 2; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *d, unsigned i, void **p) { *p = (void *)10L; return i ? 0 : 6; }
int nvmlDeviceGetUUID(void *d, char *s, unsigned n) { strcpy(s, d == (void *)10 ? "MIG-x" : "GPU-x"); return 0; }
int nvmlDeviceGetName(void *d, char *s, unsigned n) { strcpy(s, "Stub"); return 0; }
int nvmlDeviceGetMemoryInfo_v2(void *d, m2 *m) {
    if (m->version != 0x02000028) return 25;
    m->total = 16; m->reserved = 1; m->free = 10; m->used = 5; return 0;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *d, unsigned *n, process *p) {
    const char *pid = getenv("STUB_PID");
    if (!pid) { *n = 0; return 0; }
    if (*n < 1) { *n = 1; return 7; }
    *n = 1; p[0].pid = atoi(pid); p[0].used = 5; return 0;
}
