#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
/* One event to N sockets with one send() each: CPU microseconds of this process per delivery. */
int main(int argc, char **argv) {
  int port = atoi(argv[1]), n = atoi(argv[2]), rounds = atoi(argv[3]), size = atoi(argv[4]);
  int *fds = malloc(sizeof(int) * n); char *frame = malloc(size); memset(frame, 'x', size);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < n; i++) {
    fds[i] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fds[i], (struct sockaddr *)&to, sizeof to)) { perror("connect"); return 1; }
  }
  struct rusage a, b; getrusage(RUSAGE_SELF, &a);
  for (int r = 0; r < rounds; r++) {
    for (int i = 0; i < n; i++) if (send(fds[i], frame, size, MSG_NOSIGNAL) < 0) return 1;
    usleep(20000);
  }
  getrusage(RUSAGE_SELF, &b);
  double user = (b.ru_utime.tv_sec - a.ru_utime.tv_sec) * 1e6
    + (b.ru_utime.tv_usec - a.ru_utime.tv_usec);
  double system = (b.ru_stime.tv_sec - a.ru_stime.tv_sec) * 1e6
    + (b.ru_stime.tv_usec - a.ru_stime.tv_usec);
  printf("%f\n", (user + system) / ((double)n * rounds));
  return 0;
}
