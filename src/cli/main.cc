#include "cli/command.h"

int main(int argc, char** argv) { return redoubt::cli::run(argc, argv); }
