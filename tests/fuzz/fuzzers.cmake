# name and layers of each fuzzer; see cmake/redoubt.cmake
redoubt_fuzz(codec_fuzz DEPENDS space)
redoubt_fuzz(extent_map_fuzz DEPENDS space)
redoubt_fuzz(first_page_fuzz DEPENDS space)
redoubt_fuzz(layout_fuzz DEPENDS space)
redoubt_fuzz(page_apply_fuzz DEPENDS recovery)
redoubt_fuzz(redo_record_fuzz DEPENDS redo)
redoubt_fuzz(redo_log_fuzz DEPENDS redo)
