def write(name, recipe, measured):
    return ""
