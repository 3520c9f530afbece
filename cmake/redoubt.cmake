# How every target of Redoubt is built: one call a folder. STYLE.md section 8.

find_program(REDOUBT_CCACHE ccache)
if(REDOUBT_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${REDOUBT_CCACHE})
endif()
find_program(REDOUBT_MOLD mold)
option(REDOUBT_USE_MOLD "Link with mold where it is installed" ON)
if(REDOUBT_MOLD AND REDOUBT_USE_MOLD)
    add_link_options(-fuse-ld=mold)
endif()

set(REDOUBT_SANITIZE "" CACHE STRING "Sanitizers for the whole build, as -fsanitize= takes them")
if(REDOUBT_SANITIZE)
    add_compile_options(-fsanitize=${REDOUBT_SANITIZE} -fno-omit-frame-pointer
                        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${REDOUBT_SANITIZE})
endif()
option(REDOUBT_FUZZ "Build the fuzzers against libFuzzer (clang)" OFF)
if(REDOUBT_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

add_library(redoubt_flags INTERFACE)
target_compile_options(redoubt_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Werror
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)

# redoubt_library(page SOURCES a.cc DEPENDS base [EXTERNAL fmt::fmt])
# A folder of src/: headers are included as "page/x.h"; DEPENDS names layers and is PUBLIC.
function(redoubt_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;EXTERNAL" ${ARGN})
    add_library(redoubt_${name} STATIC ${ARG_SOURCES})
    target_include_directories(redoubt_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src
                                                      ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(redoubt_${name} PRIVATE redoubt_flags)
    foreach(layer ${ARG_DEPENDS})
        target_link_libraries(redoubt_${name} PUBLIC redoubt_${layer})
    endforeach()
    target_link_libraries(redoubt_${name} PUBLIC ${ARG_EXTERNAL})
endfunction()

# redoubt_test(page_test LABEL unit SOURCES a_test.cc DEPENDS page)
# A GoogleTest program; each test is known to ctest under its label (default: unit).
function(redoubt_test name)
    cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPENDS" ${ARGN})
    if(NOT ARG_LABEL)
        set(ARG_LABEL unit)
    endif()
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    add_executable(${name} ${ARG_SOURCES})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${name} PRIVATE redoubt_flags GTest::gtest GTest::gmock
                                          GTest::gtest_main Threads::Threads)
    foreach(layer ${ARG_DEPENDS})
        target_link_libraries(${name} PRIVATE redoubt_${layer})
    endforeach()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
                         PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()

# redoubt_fuzz(page_flags_fuzz DEPENDS page): tests/fuzz/<name>.cc defines LLVMFuzzerTestOneInput.
# Under REDOUBT_FUZZ it is a libFuzzer program; otherwise it replays tests/fuzz/corpus/<name>/.
function(redoubt_fuzz name)
    cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
    foreach(layer ${ARG_DEPENDS})
        if(NOT TARGET redoubt_${layer})
            return()  # not among REDOUBT_LAYERS
        endif()
    endforeach()
    if(REDOUBT_FUZZ)
        add_executable(${name} ${name}.cc)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(${name} ${name}.cc replay_main.cc)
        add_test(NAME fuzz_replay.${name}
                 COMMAND ${name} ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
        set_tests_properties(fuzz_replay.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
    endif()
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${name} PRIVATE redoubt_flags)
    foreach(layer ${ARG_DEPENDS})
        target_link_libraries(${name} PRIVATE redoubt_${layer})
    endforeach()
endfunction()
