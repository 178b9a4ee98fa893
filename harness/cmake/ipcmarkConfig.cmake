include("${CMAKE_CURRENT_LIST_DIR}/ipcmarkTargets.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/ipcmarkDriver.cmake")
