"""Runs a program in a terminal of its own: terminal.py COLUMNS ROWS PROGRAM [ARGUMENT...]

What comes in on standard input is typed, and what the program shows goes to standard output. Exits
with the program's status.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

STDIN = 0
STDOUT = 1


def main(columns, rows, command):
    child, terminal = pty.fork()
    if child == 0:
        size = struct.pack("HHHH", int(rows), int(columns), 0, 0)
        fcntl.ioctl(STDIN, termios.TIOCSWINSZ, size)
        os.execvp(command[0], command)
    copy(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def copy(terminal):
    sources = [STDIN, terminal]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if STDIN in ready:
            typed = os.read(STDIN, 65536)
            if typed:
                os.write(terminal, typed)
            else:
                sources.remove(STDIN)
        if terminal in ready:
            try:
                shown = os.read(terminal, 65536)
            except OSError:  # Linux: the program has ended.
                return
            if not shown:
                return
            os.write(STDOUT, shown)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
