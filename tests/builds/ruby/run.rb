#!/usr/bin/env ruby
require "shout"
puts Shout.out(ARGV.join(" ")) + " as " + Process.uid.class.to_s
