@echo off
rem Opens the image window on the folder in which this file lies.
setlocal
title Reading images
if not exist "%~dp0manifest.json" (
    echo Please unpack the zip file first, then start the copy of this file that was unpacked.
    goto stop
)
set "PATH=%PATH%;%USERPROFILE%\.local\bin"
where cowgan >nul 2>nul
if not errorlevel 1 (
    cowgan turing read "%~dp0."
    goto ended
)
where uv >nul 2>nul
if not errorlevel 1 (
    echo The first start fetches the program, which takes some minutes. Please wait.
    uv tool run --python 3.12 --from "napari-cowgan[all]=={version}" cowgan turing read "%~dp0."
    goto ended
)
echo The program is missing on this computer. Please open README.txt and follow step 3.
goto stop
:ended
if not errorlevel 1 exit /b 0
:stop
pause
