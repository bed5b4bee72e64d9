-- A step that writes: its number, the lease it is made under, then what it works on.
local step, epoch = ARGV[1], ARGV[2]
local args = {}
for i = 3, #ARGV do args[i - 2] = ARGV[i] end
