-- A reading script: all arguments are its own.
local args = ARGV
