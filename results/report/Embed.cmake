# cmake -DOUT=embedded -DFILES="css=report.css;…" -P Embed.cmake: writes OUT.h and OUT.c with one array a file, so that the
# program needs none of them when it runs.
set(header "#ifndef EMBEDDED_H\n#define EMBEDDED_H\n\n#include <stddef.h>\n\n")
set(source "#include \"embedded.h\"\n")
foreach(entry IN LISTS FILES)
  string(REGEX MATCH "^([^=]+)=(.+)$" matched "${entry}")
  set(name ${CMAKE_MATCH_1})
  file(READ "${CMAKE_MATCH_2}" bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND header "extern const unsigned char embedded_${name}[];\nextern const size_t embedded_${name}_size;\n")
  string(APPEND source "\nconst unsigned char embedded_${name}[] = {\n${bytes}};\n"
                       "const size_t embedded_${name}_size = sizeof embedded_${name};\n")
endforeach()
file(WRITE ${OUT}.h "${header}\n#endif\n")
file(WRITE ${OUT}.c "${source}")
