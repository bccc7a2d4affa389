select
    '{{ var("text") }}' as text,
    {{ var('number') }} as number,
    {{ var('float') }} as float,
    {{ var('big') }} as big,
    {{ var('yes_no') }} as yes_no,
    '{{ var("nothing") }}' as nothing,
    '{{ var("day") }}' as day,
    '{{ var("list") }}' as list,
    '{{ var("mapping") | tojson }}' as mapping,
    '{{ var("scoped") }}' as scoped,
    '{{ var("missing", "fallback") }}' as missing,
    '{{ var("deep").a }}' as deep,
    '{{ var("missing", none) }}' as missing_none,
    {{ var('number') + 1 }} as plus_one,
    {{ var.has_var('missing') }} as has_missing
{% for item in var('list') %}
    , '{{ item }}' as item_{{ loop.index }}
{% endfor %}
