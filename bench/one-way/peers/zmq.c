/* libzmq in C, PUSH to PULL over TCP: it batches by itself.
 * zmq <role> <port> <size> <warmUp> <count> */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#define RING 1024
#define ZERO_COPY 1024

static void check(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void receive(void *socket, const char *endpoint, long warm_up, long total) {
  check(zmq_bind(socket, endpoint) == 0, "bind");
  printf("{\"ready\":true}\n");
  fflush(stdout);
  uint32_t checksum = 0;
  double began = 0;
  zmq_msg_t message;
  check(zmq_msg_init(&message) == 0, "init");
  for (long received = 1; received <= total; received++) {
    int length = zmq_msg_recv(&message, socket, 0);
    check(length >= 4, "receive");
    const uint8_t *bytes = zmq_msg_data(&message);
    uint32_t head;
    memcpy(&head, bytes, 4); /* little-endian machines only, as the other peers */
    checksum = checksum * 31 + head + bytes[length - 1];
    if (received == warm_up) began = now_ms();
  }
  printf("{\"ms\":%f,\"checksum\":%d}\n", now_ms() - began, (int32_t)checksum);
}

static void keep(void *data, void *hint) {
  (void)data;
  (void)hint;
}

/* A small message is copied; for a large one zmq_msg_init_data, without a copy, costs less. */
static void send_one(void *socket, uint8_t *bytes, size_t size) {
  if (size < ZERO_COPY) {
    check(zmq_send(socket, bytes, size, 0) >= 0, "send");
    return;
  }
  zmq_msg_t message;
  check(zmq_msg_init_data(&message, bytes, size, keep, NULL) == 0, "init");
  check(zmq_msg_send(&message, socket, 0) >= 0, "send");
}

/* The messages stay: libzmq may still have them to send when all are given. */
static void send_all(void *socket, const char *endpoint, size_t size, long total) {
  check(zmq_connect(socket, endpoint) == 0, "connect");
  uint8_t *messages = calloc(RING, size);
  check(messages != NULL, "calloc");
  for (uint32_t number = 0; number < RING; number++) {
    memcpy(messages + number * size, &number, 4);
    messages[number * size + size - 1] = (uint8_t)number;
  }
  for (long i = 0; i < total; i++) send_one(socket, messages + (i % RING) * size, size);
}

int main(int argc, char **argv) {
  if (argc < 6) return 1;
  int receiving = strcmp(argv[1], "receiver") == 0;
  long size = atol(argv[3]), warm_up = atol(argv[4]), total = warm_up + atol(argv[5]);
  char endpoint[64];
  snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%s", argv[2]);
  void *context = zmq_ctx_new();
  void *socket = zmq_socket(context, receiving ? ZMQ_PULL : ZMQ_PUSH);
  /* Enough that neither side waits for the other's turn, and not the whole run in memory. */
  int most = size > 4096 ? 1000 : 100000;
  check(zmq_setsockopt(socket, ZMQ_SNDHWM, &most, sizeof most) == 0, "SNDHWM");
  check(zmq_setsockopt(socket, ZMQ_RCVHWM, &most, sizeof most) == 0, "RCVHWM");
  if (receiving) receive(socket, endpoint, warm_up, total);
  else send_all(socket, endpoint, (size_t)size, total);
  zmq_close(socket);
  zmq_ctx_term(context);
  return 0;
}
