# The crash build has a point before each call that others can notice. Has the library such a call without one?
# NM; OBJECTS of the crash build; FOLDER: tests/crash; SOURCE: ref/; PROGRAM: lives through all points, or says which not.
file(READ ${FOLDER}/points.h macros)
string(REGEX MATCHALL "#define [a-z0-9_]+\\(" points "${macros}")
list(TRANSFORM points REPLACE "#define ([a-z0-9_]+)\\(" "\\1")
file(STRINGS ${FOLDER}/calls_without_points.txt lines REGEX "^[^#]")
string(REGEX MATCHALL "[A-Za-z0-9_]+" plain "${lines}")

execute_process(COMMAND ${NM} ${OBJECTS} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "U [A-Za-z0-9_]+" called "${symbols}")
string(REGEX MATCHALL "[A-TV-Z] [A-Za-z0-9_]+" defined "${symbols}")
list(TRANSFORM called REPLACE "^. " "")
list(TRANSFORM defined REPLACE "^. " "")
list(REMOVE_DUPLICATES called)
list(REMOVE_ITEM called ${defined} ${points} ${plain})
foreach(call IN LISTS called)
  message(SEND_ERROR "${call} is called, and has no point: give it one in points.h if others can notice the call, or else name "
    "it in calls_without_points.txt")
endforeach()

# A store into shared memory that takes no way of atomics.h faults in the crash build, where some life comes to it. This
# finds the others: through what points into shared memory nothing is assigned, and no memory is copied to it.
file(GLOB files ${SOURCE}/src/*.c ${SOURCE}/src/*.h)
foreach(file IN LISTS files)
  file(STRINGS ${file} stores REGEX
    "(ours|theirs|record|reference)->[a-z_]+( *[-+|&^]?=[^=]|\\+\\+|--)|[^_]mem(cpy|move|set)\\((at|body|base|page|[a-z>-]*(->|\\.)(data|base|ours))[,) ]|atomic_[a-z_]*\\(&[a-z]+->(ours|theirs)")
  if(stores)
    message(SEND_ERROR "${file}: shared memory is written through atomics.h alone:\n${stores}")
  endif()
endforeach()

execute_process(COMMAND ${PROGRAM} --rehearse --excuses ${FOLDER}/unreached.txt RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(SEND_ERROR "some points are not come to: lead a life there, or say why not in unreached.txt")
endif()
