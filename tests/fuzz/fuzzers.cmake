# name and layers of each fuzzer; see cmake/redoubt.cmake
redoubt_fuzz(redo_record_fuzz DEPENDS redo)
redoubt_fuzz(redo_log_fuzz DEPENDS redo)
