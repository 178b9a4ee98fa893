# Outside src/os/ no descriptor is made or closed but through os.h: a child of fork() closes what is known there, and no other.
file(GLOB files ${SOURCE}/src/*.c ${SOURCE}/src/*.h)
foreach(file IN LISTS files)
  file(READ ${file} text)
  if(text MATCHES "[^a-z_>.]((close|socket|eventfd|open|openat|opendir|fdopendir|closedir|dup|accept4?|memfd_create|pipe2?)\\([^\n]*)")
    message(SEND_ERROR "${file}: use os.h instead of ${CMAKE_MATCH_1}")
  endif()
endforeach()
