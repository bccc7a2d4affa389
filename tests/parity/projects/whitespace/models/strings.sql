select '{{ "a" ~ 1 ~ none ~ true }}', '{{ "%s and %d" | format("x", 3) }}', '{{ "a" "b" }}', '{{ 'it''s' if false else "it''s" }}'
