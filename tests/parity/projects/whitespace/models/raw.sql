select '{% raw %}{{ not rendered }} {% nor this %}{% endraw %}' as raw, '{{ "{{" }}' as braces, '{{ '{%' }}' as tags
