select {{ lib_macro() }} from {{ ref('deep') }}, {{ ref('two') }}
