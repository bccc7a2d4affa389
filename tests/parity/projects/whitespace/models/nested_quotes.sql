select "{{ 'double' }}", '{{ "single" }}', $${{ "dollar" }}$$, '{{ "back\\slash" }}', '{{ "new\nline" }}', '{{ "tab\tbed" }}'
