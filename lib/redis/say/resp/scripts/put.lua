-- ARGV value, ttl in ms, keep
push(ARGV[1], ARGV[2])
cut(tonumber(ARGV[3]))
save()
return 1
