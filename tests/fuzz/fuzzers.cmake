# name and layers of each fuzzer; see cmake/redoubt.cmake
