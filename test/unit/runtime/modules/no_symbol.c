/* A shared library that is no loss. */
int answer(void) { return 42; }
