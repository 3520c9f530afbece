# name and layers of each fuzzer; see cmake/redoubt.cmake
redoubt_fuzz(page_apply_fuzz DEPENDS recovery)
